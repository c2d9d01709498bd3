"""Entry point of `arena` and of `python -P -m arena`."""

import os

from arena.command_line.interrupt import leave_on_interrupt


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly while it is being imported, too."""
    leave_on_interrupt()
    if "_ARENA_COMPLETE" in os.environ:
        from arena.completion.shells import answer_shell

        return answer_shell()
    from arena.command_line.main import run_command_line

    run_command_line()


if __name__ == "__main__":  # not in the processes of a pool, which import this module again
    main()
