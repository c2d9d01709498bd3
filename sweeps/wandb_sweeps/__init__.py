"""Sweeps that W&B's server runs: its server chooses the points, Arena's agents train them."""
