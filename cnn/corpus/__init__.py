"""Recordings of a corpus: scan, decode, describe."""
