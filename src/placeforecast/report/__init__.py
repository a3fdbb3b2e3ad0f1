"""The report: one model of it, composed from a forecast, and one renderer for each format."""
