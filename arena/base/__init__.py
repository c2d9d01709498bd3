"""The ground that every package may stand on; imports nothing of Arena."""
