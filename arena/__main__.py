"""Entry point of `arena` and of `python -P -m arena`."""

from arena.command_line.interrupt import leave_on_interrupt


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly while it is being imported, too."""
    leave_on_interrupt()
    from arena.command_line.main import run_command_line

    run_command_line()


if __name__ == "__main__":  # not in the processes of a pool, which import this module again
    main()
