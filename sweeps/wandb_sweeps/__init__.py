"""W&B's own sweeps."""
