"""The base of every mistake that Arena reports to its user. Standard library only."""

from __future__ import annotations


class ArenaError(Exception):
    """A mistake of the user, or of their files; the message is one line: the rule, what came, what to do."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of the traceback."""
        return [f"error: {self}"]
