"""Entry point of `python -P -m arena`."""

from arena.cli import main

if __name__ == "__main__":  # not in the processes of a pool, which import this module again
    main()
