"""People by district, sex and age, and the children of school age."""
