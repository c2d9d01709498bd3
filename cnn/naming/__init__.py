"""Digit, speaker and take of recordings, read from their paths by a pattern, a table or the layouts of public corpora."""
