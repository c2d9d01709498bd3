"""Mistakes of a user of cnn; each message is one line: the rule, what came, what to do.

CnnError
├── ConfigError   a key or value of the configuration
│   └── ModelError    a net of a team's own
├── CorpusError   a folder of recordings
├── TilesError    a folder of tiles
├── SplitError    who trains and who is held out
└── RunError      a run folder, or writing one
"""

from __future__ import annotations

from arena.base.errors import ArenaError


class CnnError(ArenaError):
    """Base of every mistake that cnn reports to its user."""


class ConfigError(CnnError):
    """A configuration key or value that cannot be used."""


class ModelError(ConfigError):
    """A plug-in net whose file, class or behaviour cannot be used."""


class CorpusError(CnnError):
    """A folder of recordings that cannot be used."""


class TilesError(CnnError):
    """A folder of tiles that is missing, damaged or of another make."""


class SplitError(CnnError):
    """A split that the clips cannot give. `in_evaluation` is the message of `arena eval`, whose remedies differ."""

    def __init__(self, text: str, in_evaluation: str = "") -> None:
        super().__init__(text)
        self.in_evaluation = in_evaluation or text


class RunError(CnnError):
    """A run folder that is missing, damaged, or cannot be written."""
