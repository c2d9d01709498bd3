"""Modules that every package may import; they import nothing else of Arena."""
