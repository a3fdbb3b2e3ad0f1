"""The vocabulary; reading, checking and aligning what planners bring; the two doors to arrays."""
