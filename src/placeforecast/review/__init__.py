"""The plan under review: what it leaves short, when to start, what to build, what stands idle."""
