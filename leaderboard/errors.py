"""Mistakes of a user of leaderboard; each message is one line: the rule, what came, what to do.

LeaderboardError
├── FileError            one file, with its line where there is one
│   ├── SubmissionError  a file that a team sent
│   │   └── ContradictoryLabels  labels that are not the most probable ones in most rows
│   ├── SolutionError    a file with the true labels
│   ├── ContestFileError  a contest.yaml
│   └── ClassListError   a list of teams or students, or a gradebook's template
├── ContestError         a contest that cannot be made, opened, read or written
│   ├── TeamError        a team that is unknown or out of the contest
│   │   ├── HostNeeded   a team's token where a host's is needed
│   │   ├── JoinRefused  a join link that serves no more, or not this person
│   │   └── NameRefused  a name or pseudonym that cannot be given
│   │       └── NameOften  one more pseudonym after many in a day
│   ├── ContestClosed    a submission after the deadline, or after the host closed the contest
│   ├── ActedMeanwhile   an act of a host who has not seen the one before
│   ├── ModelsNotRun     a close by hidden scores that some teams have none of yet
│   ├── Unavailable      a database that cannot be read or written
│   ├── SolutionReplaced  a grade by a solution that was corrected meanwhile
│   ├── MetricError      a metric of the host that cannot be run
│   ├── ModelRefused     a model file that cannot be run safely, or at all
│   │   └── NoFurtherModel  a model beside an attempt that takes no other
│   └── NoteRefused      a note on an attempt that is long or does not print
├── RightMissing         an act that the role of a host's token does not allow
├── AttemptsExhausted    a submission after the last attempt
├── VoidedFile           the file of an attempt that the host took out of the ranking
└── TooManyRefusals      one more file after many in an hour that could not be scored
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.base.errors import ArenaError
from arena.base.texts import ENGLISH, Localized
from leaderboard.messages import Translatable, message, translate


class LeaderboardError(ArenaError):
    """Base of every mistake that leaderboard reports to its user; `str` gives it in English."""

    def translate(self, language: str) -> str:
        """Return the message in that language, or in English where it has no translation."""
        return translate(self.message(), language)

    def message(self) -> Translatable:
        """Return the message before its translation."""
        return self.args[0] if self.args else ""

    def __str__(self) -> str:
        return self.translate(ENGLISH)


@dataclass(frozen=True, slots=True)
class Fault(Localized):
    """A single error in a file; `str` gives it in English."""

    line: int | None  # from 1, the header included; None for an error of the whole file
    problem: Translatable

    def translate(self, language: str) -> str:
        """Return `line 3: ...`, to be read below the file's name."""
        return translate(
            self.problem if self.line is None else message("at_line", line=self.line, problem=self.problem), language
        )

    def __str__(self) -> str:
        return self.translate(ENGLISH)


class FileError(LeaderboardError):
    """The first fault of a file, some that follow, and their number; `str` gives the first and the number."""

    def __init__(self, file_name: str, first: Fault, others: Sequence[Fault] = (), n_more: int = 0) -> None:
        super().__init__(file_name, first, others, n_more)
        self.file_name = file_name
        self.line = first.line
        self.problem = first.problem
        self.others = tuple(others)
        self.n_more = n_more  # `others` and the faults that are only counted

    def message(self) -> Translatable:
        more = message("more", n=self.n_more) if self.n_more else ""
        key = "in_file" if self.line is None else "in_line"
        return message(key, file=self.file_name, line=self.line, problem=self.problem, more=more)


class SubmissionError(FileError):
    """A submission that cannot be scored; it cost no attempt."""


class ContradictoryLabels(SubmissionError):
    """A submission whose labels contradict its own probabilities in most rows; it cost no attempt."""


class SolutionError(FileError):
    """A solution that no contest can be made of."""


class ContestFileError(FileError):
    """A contest.yaml that makes or changes no contest."""


class ClassListError(FileError):
    """A list of teams or students that cannot be read, or a learning platform's template."""


class ContestError(LeaderboardError):
    """A contest that cannot be made, opened, read or written."""


class TeamError(ContestError):
    """A team that is not in the contest or no longer."""


class HostNeeded(TeamError):
    """A team's token where the host's is needed."""


class JoinRefused(TeamError):
    """A join link that serves no more, or not this person."""


class NameRefused(TeamError):
    """A name or a pseudonym that cannot be given, or is taken."""


class NameOften(NameRefused):
    """One more pseudonym of a team that has changed it many times within a day."""


class ContestClosed(ContestError):
    """A submission that arrived after the deadline."""


class ActedMeanwhile(ContestError):
    """An act of a host who has not seen what was done before it."""


class ModelsNotRun(ContestError):
    """A close by hidden scores while models of teams were never run on the hidden part."""


class Unavailable(ContestError):
    """A database that cannot be read or written now."""


class SolutionReplaced(ContestError):
    """A grade by a solution that the host has corrected meanwhile; grade again."""

    def __init__(self) -> None:
        super().__init__("the solution of the contest was corrected just now; send the file again")


class MetricError(ContestError):
    """A metric of the host that cannot be loaded or failed; what was sent cost nothing."""


class ModelRefused(ContestError):
    """A model file that cannot be run safely, or at all."""


class NoFurtherModel(ModelRefused):
    """A model beside an attempt that takes no other one."""


class NoteRefused(ContestError):
    """A note on an attempt that is long, or holds characters that do not print."""


class VoidedFile(LeaderboardError):
    """The file of an attempt that the host took out of the ranking; it cost no attempt."""

    def __init__(self, number: int) -> None:
        super().__init__(message("voided_file", number=number))


class RepeatedLabels(LeaderboardError):
    """A submission with the labels of an earlier attempt of its team; it cost no attempt."""

    def __init__(self, file_name: str, number: int, score: float) -> None:
        super().__init__(file_name, number, score)
        self.file_name = file_name
        self.number = number  # number and public score of that attempt, as its team sees them
        self.score = score

    def message(self) -> Translatable:
        return message("repeated", file=self.file_name, number=self.number, score=f"{self.score:.3f}")


class RightMissing(LeaderboardError):
    """An act that the role of an assistant does not allow."""


class AttemptsExhausted(LeaderboardError):
    """A submission of a team that has used its last attempt."""

    def __init__(self, team: str, n_attempts: int) -> None:
        super().__init__(team, n_attempts)
        self.team = team
        self.n_attempts = n_attempts

    def message(self) -> Translatable:
        return f"a team has {self.n_attempts} attempts and team {self.team!r} has used them all; its best one counts"


class TooManyRefusals(LeaderboardError):
    """A file of a team that sent too many within an hour that could not be scored."""

    def __init__(self, team: str, n_per_hour: int, retry_after_s: int) -> None:
        super().__init__(team, n_per_hour, retry_after_s)
        self.team = team
        self.n_per_hour = n_per_hour
        self.retry_after_s = retry_after_s

    def message(self) -> Translatable:
        minutes = max(1, -(-self.retry_after_s // 60))
        return message("refusals", n=self.n_per_hour, team=repr(self.team), minutes=minutes)
