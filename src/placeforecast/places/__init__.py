"""Places needed, places that stand and are planned, and the signed balance between them."""
