"""`arena contest attempts`, `attempt` and `standings`: what teams have reached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.base.options import CONTEST_FILE, ContestPath
from arena.base.terminal import JSON_HELP, print_json, print_table, say

if TYPE_CHECKING:
    from arena.base.scores import Interval
    from leaderboard.rules import Rules
    from leaderboard.standings import Attempt, AttemptModel, Board, Standing
    from leaderboard.store import Contest


app = typer.Typer()
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
TeamName = Annotated[str, typer.Argument(help="The team's name, in any case.")]
Private = Annotated[bool, typer.Option("--private", help="By the private rows; for the host's eyes.")]
_MOST_CLASSES = 20  # of a confusion matrix that a terminal shows


@app.command(epilog='Example: arena contest attempts "Team Alpha" --json')
def attempts(team: TeamName, contest: ContestPath = CONTEST_FILE, as_json: AsJson = False) -> None:
    """Show what a team has sent and reached."""
    with _open(contest) as opened:
        rules, sent = opened.rules(), opened.attempts(opened.team(team))
    if as_json:
        return print_json([_plain(attempt) for attempt in sent])
    columns = ("#attempt", *_own_metric(rules), "#macro-F1", *_metric_titles(), "arrived", "file")
    models = _models([attempt.model for attempt in sent])
    rows = [(*_attempt_cells(attempt, rules), *more) for attempt, more in zip(sent, models[1:], strict=True)]
    print_table((*columns, *models[0]), rows)


def _models(models: Sequence[AttemptModel | None]) -> list[tuple[str, ...]]:
    """Title and cells of the column that says what became of models; all empty where nobody sent one."""
    if not any(models):
        return [()] * (1 + len(models))
    words = {"carried": "not run yet", "verified": "verified", "differs": "differs"}
    return [("model",), *(("",) if model is None else (words[model.state],) for model in models)]


def _attempt_cells(attempt: Attempt, rules: Rules) -> tuple[str, ...]:
    from leaderboard.deadline import describe
    from leaderboard.standings import format_metrics

    own = (_score(attempt.score),) if rules.metric_digest else ()
    number = str(attempt.number) if attempt.is_shown else f"{attempt.number} as {attempt.shown_number}"
    return (
        number,
        *own,
        _score(attempt.macro_f1),
        *format_metrics(attempt.metrics),
        describe(attempt.arrived_at),
        attempt.file_name,
    )


@app.command(epilog='Example: arena contest attempt "Team Alpha" 2')
def attempt(
    team: TeamName,
    number: Annotated[int, typer.Argument(help="Which attempt, from 1.")],
    contest: ContestPath = CONTEST_FILE,
    private: Private = False,
    as_json: AsJson = False,
) -> None:
    """Show one attempt in full: every metric, by class too, and what was taken for what."""
    from leaderboard.standings import Part, name_metrics

    with _open(contest) as opened:
        found = opened.details(opened.team(team), number, Part.PRIVATE if private else Part.PUBLIC)
    if as_json:
        return print_json(_plain(found))
    columns = ("class", "#rows", "#precision", "#recall", "#F1")
    rows = [(c.label, str(c.n_rows), _score(c.precision), _score(c.recall), _score(c.f1)) for c in found.classes]
    print_table(columns, rows, title=f"{team}, attempt {number}")
    if len(found.classes) <= _MOST_CLASSES:
        labels = [one.label for one in found.classes]
        counts = [(label, *map(str, row)) for label, row in zip(labels, found.confusion, strict=True)]
        print_table(("truth", *(f"#{label}" for label in labels)), counts, title="rows by what they were taken for")
    one = found.attempt
    loss = "" if one.log_loss is None else f", log loss {_score(one.log_loss)}"
    f1 = f"macro-F1 {_score(one.macro_f1)} (95 % interval {_range(found.interval)})"
    say(f"{f1}, weighted F1 {_score(found.weighted_f1)}, {name_metrics(one.metrics)}{loss}")


@app.command(epilog="Example: arena contest standings --json")
def standings(contest: ContestPath = CONTEST_FILE, private: Private = False, as_json: AsJson = False) -> None:
    """Rank the teams by their best attempt: by public scores, and after `close` by the private ones."""
    from leaderboard.standings import Part

    with _open(contest) as opened:
        board = opened.board()
        lines = opened.standings(Part.PRIVATE) if private else board.lines
    if as_json:
        return print_json([_plain(line) for line in lines])
    columns = ("#rank", "", "team", *_own_metric(board.rules), "#macro-F1", "#95 % interval", *_metric_titles(), "#attempts")
    marks = brackets([line.is_tied_with_above for line in lines])
    models = _models([line.model for line in lines])
    rows = [(*_line_cells(line, mark, board.rules), *more) for line, mark, more in zip(lines, marks, models[1:], strict=True)]
    if rows:
        print_table((*columns, *models[0]), rows, title=board.rules.name)
    _say_how_sure(board, lines, is_private=private)


def _line_cells(line: Standing, mark: str, rules: Rules) -> tuple[str, ...]:
    from leaderboard.standings import format_metrics

    own = (_score(line.score),) if rules.metric_digest else ()
    return (
        *(str(line.rank), mark, _both_names(line), *own, _score(line.macro_f1), _range(line.interval)),
        *format_metrics(line.metrics),
        f"{line.n_attempts} of {line.n_allowed}",
    )


def _both_names(line: Standing) -> str:
    """For the host: the name, and what others see."""
    return line.team if line.shown_as == line.team else f"{line.team} (shown as {line.shown_as})"


def brackets(is_tied_with_above: Sequence[bool]) -> list[str]:
    """A bracket beside the lines that belong together, in one character each."""
    ends = [*is_tied_with_above[1:], False][: len(is_tied_with_above)]
    names = {(False, True): "┌", (True, True): "│", (True, False): "└", (False, False): ""}
    return [names[above, below] for above, below in zip(is_tied_with_above, ends, strict=True)]


def _say_how_sure(board: Board, lines: Sequence[Standing], *, is_private: bool) -> None:
    from leaderboard.deadline import describe, describe_for_reader

    if not is_private:
        say(board.sentence)
    if any(line.is_tied_with_above for line in lines):
        say("brackets: the difference from the team above could be chance (paired bootstrap, Holm, 5 %)")
    if lines:
        say(f"intervals are over {lines[0].interval.n_units:,} {lines[0].interval.unit}")
    rules, now = board.rules, datetime.now(UTC)
    if rules.closed_at is not None:
        say(f"final: closed by the host at {describe(rules.closed_at)}, ranked by the {board.part} scores")
    elif rules.deadline is not None:
        verb = "closes" if now <= rules.deadline else "closed"
        say(f"{verb} at {describe_for_reader(rules.deadline, now)}")
    else:
        say("no deadline")


def _own_metric(rules: Rules) -> tuple[str, ...]:
    return (f"#{rules.metric_name}",) if rules.metric_digest else ()


def _metric_titles() -> list[str]:
    from leaderboard.standings import METRICS

    return [f"#{metric.name}" for metric in METRICS]


def _open(contest: str) -> Contest:
    from leaderboard.store import open_contest

    return open_contest(contest)


def _score(value: float) -> str:
    return f"{value:.4f}"


def _range(interval: Interval) -> str:
    return f"{_score(interval.low)} to {_score(interval.high)}"


def _plain(value: Any) -> Any:
    from leaderboard.standings import to_json_dict

    return json.loads(json.dumps(to_json_dict(value), default=datetime.isoformat))
