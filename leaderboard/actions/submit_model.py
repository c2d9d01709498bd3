"""Submission of a model: checked, never run, and stored beside an attempt. It uses no attempt."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from leaderboard.actions.submit import Receipt, submit
from leaderboard.contest.rate_limit import check_rate
from leaderboard.database import schema
from leaderboard.database.rows import read_rules, read_team_by_id
from leaderboard.errors import ModelRefused, TeamError
from leaderboard.files.onnx_check import check_form
from leaderboard.messages import message
from leaderboard.store import Contest
from leaderboard.teams import Team
from leaderboard.verification.sent_models import StoredModel, insert_model


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """An uploaded file."""

    content: bytes
    name: str


def submit_with_model(
    contest: Contest,
    team: Team,
    file: Upload,
    model: Upload | None,
    now: datetime,
    *,
    again: bool = False,
    yes: bool = False,
    note: str | None = None,
) -> Receipt:
    """Submit a file and the model that came with it: checked before, stored beside the attempt after.

    If the process ends between the two, sending both files again completes the submission at no cost.

    Raises:
        LeaderboardError: the errors of `submit` and of `add_model`.
    """
    if model is not None:
        _check(contest, team, model, now)
    receipt = submit(contest, team.name, file.content, file.name, now, again=again, yes=yes, note=note)
    if model is None:
        return receipt
    _store(contest, team, schema.attempts.c.submission_digest == receipt.attempt.digest, model, now)
    stored = contest.shown_attempts(team)[receipt.attempt.number - 1]
    return dataclasses.replace(receipt, attempt=stored)


def add_model(contest: Contest, team: Team, number: int, model: Upload, now: datetime) -> StoredModel:
    """Store a model beside an earlier attempt; one equal to its last model changes nothing, even in a closed contest.

    Raises:
        ModelRefused: it is no model; no such attempt; its score is verified; it had many models.
        TooManyRefusals: the team sent too many refused files within an hour.
        ContestClosed: `now` is after the deadline, or the host closed the contest.
        TeamError: the team is disqualified or merged.
    """
    _check(contest, team, model, now)
    return _store(contest, team, schema.attempts.c.number == number, model, now)


def check_model(contest: Contest, model: Upload) -> None:
    """Check the form of a model; it is not run.

    Raises:
        ModelRefused: it is no model of the contest, or answers are strings.
    """
    if contest.rules().has_strings:
        raise ModelRefused(message("model_of_strings"))
    check_form(model.content, model.name, contest.model_needs())


def _check(contest: Contest, team: Team, model: Upload, now: datetime) -> None:
    with contest.database.read() as connection:
        check_rate(connection, team, read_rules(connection).n_refusals_per_hour, now)
    try:
        check_model(contest, model)
    except ModelRefused:
        contest.count_refusal(team, now)
        raise


def _store(contest: Contest, team: Team, condition: ColumnElement[bool], model: Upload, now: datetime) -> StoredModel:
    attempts = schema.attempts.c
    of_team = select(*attempts["id", "number"]).where(attempts.team_id == team.id, condition).with_for_update()
    with contest.database.write() as connection:
        rules, sender = read_rules(connection, is_locked=True), read_team_by_id(connection, team.id)
        if sender is None:
            raise TeamError(message("team_merged", team=repr(team.name)))
        if sender.disqualified_at is not None:
            raise TeamError(message("team_out", team=repr(team.name)))
        row = connection.execute(of_team).one_or_none()
        if row is None:
            raise ModelRefused(message("model_no_attempt", team=repr(team.name)))
        stored = insert_model(connection, row.id, (sender, row.number), (model.content, model.name), now)
        if stored.is_new:
            rules.check_open(now, sender.deadline)
    return stored
