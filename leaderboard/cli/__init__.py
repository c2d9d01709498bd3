"""Commands of the contest; arena/cli.py mounts them."""
