"""Ways to get recordings: downloads, imports, synthesis."""
