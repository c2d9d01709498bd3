"""The base of every mistake that Arena reports to its user. Standard library only."""

from __future__ import annotations

TYPE_CHECKING = False  # `import arena` imports little before Ctrl-C is guarded
if TYPE_CHECKING:
    from typing import ClassVar


class ArenaError(Exception):
    """A mistake of the user, or of their files; the message is one line: the rule, what came, what to do."""

    exit_code: ClassVar[int] = 1

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of the traceback."""
        return [f"error: {self}"]


class UsageError(ArenaError):
    """A command line that cannot be read: an unknown command, or an option of another."""

    exit_code = 2
