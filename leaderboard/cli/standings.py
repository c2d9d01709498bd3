"""`arena contest attempts`, `attempt` and `standings`: scores of the teams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, Json, Private, Wide
from arena.base.terminal import Column, Number, Prose, print_json, print_table, say
from leaderboard.cli.options import TeamName, current_time, load_contest, to_plain
from leaderboard.rules import MACRO_F1

if TYPE_CHECKING:
    from arena.base.scores import Interval
    from leaderboard.contest.disclosure import Digits
    from leaderboard.rules import Rules
    from leaderboard.standings import Attempt, AttemptModel, Board, Evidence, MetricColumn, Part, Standing


app = typer.Typer()
_MAX_CLASSES = 20  # largest confusion matrix that is printed


@app.command(epilog='Example: arena contest attempts "Team Alpha" --json')
def attempts(team: TeamName, contest: ContestPath = CONTEST_FILE, wide: Wide = False, as_json: Json = False) -> None:
    """Show what a team has sent and reached."""
    from leaderboard.standings import list_metrics

    with load_contest(contest) as opened:
        rules, submitted = opened.rules(), opened.attempts(opened.team(team))
    if as_json:
        return print_json([to_plain(attempt) for attempt in submitted])
    if not submitted:
        return say(f"{team} has sent nothing yet")
    metrics = list_metrics(*(attempt.metrics for attempt in submitted))
    scores = (*_own_metric(rules), Number(_name_counted(rules)), *_metric_titles(metrics, priority=4))
    columns = (Number("attempt"), *scores, Column("arrived", 3), Column("file"))
    model, states = _format_models([attempt.model for attempt in submitted])
    note = [Prose("note")] if any(attempt.note for attempt in submitted) else []
    rows = [
        (*_format_attempt(attempt, rules, metrics), *state, *([attempt.note or ""] if note else []))
        for attempt, state in zip(submitted, states, strict=True)
    ]
    print_table((*columns, *model, *note), rows)


def _format_models(models: Sequence[AttemptModel | None]) -> tuple[list[Column], list[list[str]]]:
    """Return the column on models and its cells; none if no team sent one."""
    if not any(models):
        return [], [[] for _ in models]
    words = {"carried": "not run yet", "same": "re-run: same answers", "verified": "verified"}
    words |= {"differs": "differs", "doubted": "in doubt"}
    return [Column("model", 2)], [["" if model is None else words[model.state]] for model in models]


def _format_attempt(attempt: Attempt, rules: Rules, metrics: Sequence[MetricColumn]) -> tuple[str, ...]:
    from leaderboard.deadline import describe
    from leaderboard.standings import format_metrics

    score = (_score(attempt.score),) if rules.metric_digest else ()
    number = str(attempt.number) if attempt.is_shown else f"{attempt.number} as {attempt.shown_number}"
    number = f"voided {number}" if attempt.is_voided else number
    return (
        number,
        *score,
        _score(attempt.macro_f1),
        *format_metrics(attempt.metrics, metrics),
        describe(attempt.arrived_at),
        attempt.file_name,
    )


@app.command("attempt", epilog='Example: arena contest attempt "Team Alpha" 2')
def attempt_command(
    team: TeamName,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Which attempt, from 1.")],
    contest: ContestPath = CONTEST_FILE,
    private: Private = False,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Show one attempt in full: every metric, by class too, and what was taken for what."""
    from leaderboard.contest.disclosure import disclose_details
    from leaderboard.standings import Part, name_metrics

    with load_contest(contest) as opened:
        rules, details = opened.rules(), opened.details(opened.team(team), number, Part.PRIVATE if private else Part.PUBLIC)
    if as_json:
        return print_json(to_plain(disclose_details(details, rules) if rules.has_strings else details))
    scores = details.attempt
    score = f"{_name_counted(rules)} {_score(scores.macro_f1)} (95 % interval {_range(details.interval)})"
    if rules.has_strings:
        return print(f"{team}, attempt {number}: {score}{name_metrics(scores.metrics)}")
    columns: tuple[Column, ...] = (Column("class"), Number("rows", 2), Number("precision"), Number("recall"), Number("F1"))
    rows = [(c.label, str(c.n_rows), _score(c.precision), _score(c.recall), _score(c.f1)) for c in details.classes]
    print_table(columns, rows, title=f"{team}, attempt {number}")
    if len(details.classes) <= _MAX_CLASSES:
        labels = [line.label for line in details.classes]
        counts = [(label, *map(str, row)) for label, row in zip(labels, details.confusion, strict=True)]
        print_table(
            (Column("truth"), *(Number(label, 2) for label in labels)), counts, title="rows by what they were taken for"
        )
    say(f"{score}, weighted F1 {_score(details.weighted_f1)}{name_metrics(scores.metrics)}")


@app.command("standings", epilog="Example: arena contest standings --json")
def standings_command(
    contest: ContestPath = CONTEST_FILE, private: Private = False, wide: Wide = False, as_json: Json = False
) -> None:
    """Rank the teams by their best attempt: by public scores, and after `close` by the private ones, or the hidden ones."""
    from leaderboard.contest.disclosure import FULL, choose_digits
    from leaderboard.contest.ranking import choose_part
    from leaderboard.standings import Part, list_metrics

    with load_contest(contest) as opened:
        board = opened.board()
        part = Part.HIDDEN if choose_part(board.rules, opened.solution) is Part.HIDDEN else Part.PRIVATE
        lines = opened.standings(part) if private else board.lines
    if as_json:
        return print_json([to_plain(line) for line in lines])
    digits = FULL if private else choose_digits(board.rules)
    metrics = list_metrics(*(line.metrics for line in lines))
    scores = (
        *_own_metric(board.rules),
        Number(_name_counted(board.rules)),
        Number("95 % interval", 2),
        *_metric_titles(metrics, priority=5),
    )
    columns = (Number("rank"), Number("ranks"), Column("groups", 6), Prose("team"), *scores, Number("attempts", 4))
    model, states = _format_models([line.model for line in lines])
    rows = [(*_format_line(line, board.rules, digits, metrics), *state) for line, state in zip(lines, states, strict=True)]
    if rows:
        print_table((*columns, *model), rows, title=board.rules.name)
    _say_certainty(board, lines, part if private else None)


def _format_line(line: Standing, rules: Rules, digits: Digits, metrics: Sequence[MetricColumn]) -> tuple[str, ...]:
    from leaderboard.standings import format_metrics

    score = (_score(line.score, digits.score),) if rules.metric_digest else ()
    interval = _range(line.interval, digits.interval)
    return (
        *("baseline" if line.rank is None else str(line.rank), _format_ranks(line), line.letters),
        *(_format_names(line), *score, _score(line.macro_f1, digits.score), interval),
        *format_metrics(line.metrics, metrics),
        f"{line.n_attempts} of {line.n_allowed}",
    )


def _format_names(line: Standing) -> str:
    """Return the name and the public name, for the host."""
    return line.team if line.shown_as == line.team else f"{line.team} (shown as {line.shown_as})"


def _format_ranks(line: Standing) -> str:
    """Return the ranks that chance leaves open: `1 to 4`."""
    if line.rank_low is None:
        return ""
    return str(line.rank_low) if line.rank_low == line.rank_high else f"{line.rank_low} to {line.rank_high}"


def _say_certainty(board: Board, lines: Sequence[Standing], private: Part | None) -> None:
    """Say how sure the ranks are; `private`: the part of a view for the host alone."""
    from leaderboard.deadline import describe, describe_for_reader
    from leaderboard.rules import RankBy
    from leaderboard.scoring.lead import describe_luck
    from leaderboard.standings import name_unit

    say(board.sentence if private is None else f"{private} scores, for the host's eyes alone")
    if any(line.rank_low for line in lines):
        say("ranks: those that chance leaves open, for all teams at once with 95 %; teams of one group cannot be told apart")
    if board.smallest_difference is not None and private is None:
        say(f"most teams of the better half are told apart from differences of about {board.smallest_difference:.3g} on")
    if luck := describe_luck(lines, private or board.part):
        say(luck)
    if lines:
        speakers = "" if private else _describe_speakers(board.evidence)
        say(f"intervals are over {lines[0].interval.n_units:,} {name_unit(lines[0].interval.unit)}{speakers}")
    rules, now = board.rules, current_time()
    if rules.closed_at is not None:
        say(f"final: closed by the host at {describe(rules.closed_at)}, ranked by the {board.part} scores")
    elif rules.deadline is not None:
        verb = "closes" if now <= rules.deadline else "closed"
        say(f"{verb} at {describe_for_reader(rules.deadline, now)}")
    else:
        say("no deadline")
    if rules.rank_by is RankBy.HIDDEN:
        tense = "is" if rules.is_closed else "will be"
        say(f"the final rank {tense} by the models' hidden scores, and 0 without a verified model")


def _describe_speakers(evidence: Evidence) -> str:
    if evidence.unit == "speakers":
        return ""
    if not evidence.n_speakers:
        return ": the solution names no groups, such as speakers, so nothing is said of others"
    return f": the solution names few speakers ({evidence.n_speakers}), so nothing is said of others"


def _name_counted(rules: Rules) -> str:
    """Return the name of the score that is read from an attempt's counts."""
    return rules.metric_name if rules.has_strings else MACRO_F1


def _own_metric(rules: Rules) -> tuple[Column, ...]:
    return (Number(rules.metric_name),) if rules.metric_digest else ()


def _metric_titles(metrics: Sequence[MetricColumn], priority: int) -> list[Column]:
    return [Number(metric.name, priority) for metric in metrics]


def _score(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}"


def _range(interval: Interval, digits: int = 4) -> str:
    return f"{_score(interval.low, digits)} to {_score(interval.high, digits)}"
