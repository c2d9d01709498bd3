"""Pictures as a corpus: readers of what courses hand out, and their tiles."""
