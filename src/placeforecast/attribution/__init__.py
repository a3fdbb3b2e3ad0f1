"""Why two results differ, be they rounds or scenarios of one forecast."""
