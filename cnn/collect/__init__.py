"""Recordings from elsewhere: downloads, imports, synthesis."""
