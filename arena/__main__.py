"""Entry point of `python -P -m arena`."""

from arena.cli import main

main()
