"""Mistakes of a user of leaderboard; each message is one line: the rule, what came, what to do.

LeaderboardError
├── FileError            one file, with its line where there is one
│   ├── SubmissionError  a file that a team sent
│   └── SolutionError    a file with the true labels
├── ContestError         a contest that cannot be made, opened, read or written
│   ├── TeamError        a team that is unknown, or a name that cannot be given
│   └── ContestClosed    a submission after the deadline
└── AttemptsExhausted    a submission after the last attempt
"""


class LeaderboardError(Exception):
    """Base of every mistake that leaderboard reports to its user."""


class FileError(LeaderboardError):
    """The first problem of a file, and how many more there are."""

    def __init__(self, file_name: str, line: int | None, problem: str, n_more: int = 0) -> None:
        super().__init__(file_name, line, problem, n_more)
        self.file_name = file_name
        self.line = line  # from 1, the header included; None when the problem is not of one line
        self.problem = problem
        self.n_more = n_more

    def __str__(self) -> str:
        place = self.file_name if self.line is None else f"{self.file_name} line {self.line}"
        more = f" ({self.n_more} more problem{'s' if self.n_more > 1 else ''} in this file)" if self.n_more else ""
        return f"{place}: {self.problem}{more}"


class SubmissionError(FileError):
    """A submission that cannot be scored; it cost no attempt."""


class SolutionError(FileError):
    """A solution that no contest can be made of."""


class ContestError(LeaderboardError):
    """A contest that cannot be made, opened, read or written."""


class TeamError(ContestError):
    """A team that is not in the contest, or a name that cannot be given."""


class ContestClosed(ContestError):  # noqa: N818
    """A submission that arrived after the deadline."""


class AttemptsExhausted(LeaderboardError):  # noqa: N818
    """A submission of a team that has used its last attempt."""

    def __init__(self, team: str, n_attempts: int) -> None:
        super().__init__(team, n_attempts)
        self.team = team
        self.n_attempts = n_attempts

    def __str__(self) -> str:
        return f"a team has {self.n_attempts} attempts and team {self.team!r} has used them all; its best one counts"
