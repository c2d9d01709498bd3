"""Doubts on speakers: names and voices that may be one person's under several names."""
