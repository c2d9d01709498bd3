"""Commands of the contest; arena/command_line/tree.py mounts them."""
