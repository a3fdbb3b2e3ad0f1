"""Annual rounds: frozen, read back, scored against what came, and compared with one another."""
