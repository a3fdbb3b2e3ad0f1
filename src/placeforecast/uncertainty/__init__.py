"""How wrong the chain has been at past launches, and trajectories drawn from that."""
