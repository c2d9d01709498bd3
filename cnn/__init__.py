"""Recordings to tiles, tiles to trained nets, nets to predictions."""
