"""Commands of the contest, a file each."""
