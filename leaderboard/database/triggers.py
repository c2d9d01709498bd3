"""Triggers of both databases for rules beyond constraints: attempts that only procedures of the log change, and tables that
only grow.

A rule is a condition that is refused, written once for both. A procedure writes its line of the log first; the rules ask for
it and keep what was there before, once a line and attempt. PostgreSQL knows a line of the same transaction; SQLite, where
writers queue, takes the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from leaderboard.database.schema import N_ATTEMPTS

ATTEMPT_LIMIT = "attempt_number_is_1_to_n_allowed"  # these names stand in the database's error messages
APPEND_ONLY = "is_append_only"
_GROWING = ("host_log", "old_scores", "old_numbers", "verifications", "models", "files", "attempts")
_CHANGED = ("attempts",)  # by rules of its own
_STAYING = ("teams", "contest")  # never deleted; what a host decides on them changes
_KEYS = {
    "files": "digest = NEW.digest AND content IS NOT NEW.content",  # an equal file is stored again, and changes nothing
    "old_scores": "id = NEW.id OR (attempt_id = NEW.attempt_id AND log_id = NEW.log_id)",
    "old_numbers": "id = NEW.id OR (attempt_id = NEW.attempt_id AND log_id = NEW.log_id AND action = NEW.action)",
}
_AS_SENT = ("id", "file_name", "note", "submission_digest", "arrived_at")
_PARTS = [f"{name}_{part}" for part in ("public", "private") for name in ("confusion", "value", "log_loss")]
_OLD_SCORES = ("solution_digest", "scorer", *_PARTS)
_NUMBERS = ("team_id", "number", "is_moving")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rule:
    """A change that the database refuses under the rule's name."""

    name: str
    table: str
    event: str  # INSERT or UPDATE
    refused: str  # condition on OLD and NEW


@dataclass(frozen=True, kw_only=True, slots=True)
class _History:
    """What an update of an attempt leaves behind."""

    name: str
    condition: str
    statement: str


def create_triggers(connection: Connection) -> None:
    """Add the triggers to tables that were just created and filled."""
    statements = _sqlite() if connection.dialect.name == "sqlite" else [_PATH, *_postgresql()]
    for statement in statements:
        connection.exec_driver_sql(statement)


def _differs(columns: Sequence[str], differ: str) -> str:
    texts = [name for name in columns if name.startswith("confusion")]  # PostgreSQL compares no JSON
    pairs = [(f"CAST(NEW.{c} AS TEXT)", f"CAST(OLD.{c} AS TEXT)") if c in texts else (f"NEW.{c}", f"OLD.{c}") for c in columns]
    return f"({' OR '.join(f'{new} {differ} {old}' for new, old in pairs)})"


def _by(line: str, *actions: str, rest: str = "") -> str:
    """Build the condition that the line of the log is one of these actions."""
    names = ", ".join(f"'{action}'" for action in actions)
    return (
        "EXISTS (SELECT 1 FROM host_log l LEFT JOIN teams t ON t.id = l.team_id "
        f"WHERE l.id = {line} AND l.action IN ({names}) {rest})"
    )


def _is_kept(line: str, action: str) -> str:
    return f"EXISTS (SELECT 1 FROM old_numbers o WHERE o.attempt_id = OLD.id AND o.log_id = {line} AND o.action = '{action}')"


# PostgreSQL looks for tables among the session's temporary ones first, where anybody may have a log of their own.
_PATH = "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)"
_N_ALLOWED = f"({N_ATTEMPTS} + (SELECT COALESCE(SUM(n_granted), 0) FROM host_log WHERE team_id = NEW.team_id))"
_IS_LADDER = "(SELECT is_ladder FROM contest)"
_ARRIVES = "(OLD.is_moving AND NOT NEW.is_moving)"
_IN_TEAMS = "AND OLD.team_id IN (t.id, t.merged_into)"


def _build_rules(line: str, differ: str) -> list[_Rule]:
    """Build the rules; `line` is the id of the procedure's line, `differ` the operator that knows null."""
    departs = (
        "NOT OLD.is_moving AND NEW.is_moving AND NEW.team_id = OLD.team_id AND NEW.number = OLD.number "
        f"AND NOT {_is_kept(line, 'merge')}"
    )
    seat = "SELECT 1 FROM attempts a WHERE a.team_id = NEW.team_id AND a.number = NEW.number AND NOT a.is_moving"
    merges = _by(line, "merge", rest=f"{_IN_TEAMS} AND NEW.team_id IN (t.id, t.merged_into)")
    lands = f"{_ARRIVES} AND NOT EXISTS ({seat})"
    climbs = _by(line, "merge", "rescore", "void", rest=f"AND (l.action = 'rescore' OR (1 = 1 {_IN_TEAMS}))")
    rescored = f"EXISTS (SELECT 1 FROM old_scores o WHERE o.attempt_id = OLD.id AND o.log_id = {line})"
    names_new = "AND REPLACE(CAST(l.details AS TEXT), NEW.solution_digest, '') <> CAST(l.details AS TEXT)"
    by_rescore = _by(line, "rescore", rest=names_new)
    voided = f"EXISTS (SELECT 1 FROM old_numbers o WHERE o.log_id = {line} AND o.action = 'void')"
    voids = f"OLD.voided_at IS NULL AND {_by(line, 'void', rest='AND l.team_id = OLD.team_id')} AND NOT {voided}"
    return [
        _Rule(
            name=ATTEMPT_LIMIT,
            table="attempts",
            event="INSERT",
            refused=f"NEW.number > {_N_ALLOWED} "
            "OR NEW.number <> 1 + (SELECT COALESCE(MAX(number), 0) FROM attempts WHERE team_id = NEW.team_id) "
            "OR EXISTS (SELECT 1 FROM attempts WHERE team_id = NEW.team_id AND is_moving)",
        ),
        _Rule(
            name="attempt_begins_as_it_came",
            table="attempts",
            event="INSERT",
            refused=f"NEW.voided_at IS NOT NULL OR NEW.is_moving OR (NOT {_IS_LADDER} AND NEW.shown_number <> NEW.number)",
        ),
        _Rule(name="attempt_stays_as_sent", table="attempts", event="UPDATE", refused=_differs(_AS_SENT, differ)),
        _Rule(
            name="scores_change_by_rescore",
            table="attempts",
            event="UPDATE",
            refused=f"{_differs((*_OLD_SCORES, 'predicted'), differ)} "
            f"AND (NEW.solution_digest = OLD.solution_digest OR {rescored} OR NOT {by_rescore})",
        ),
        _Rule(
            name="attempt_numbers_change_by_merge",
            table="attempts",
            event="UPDATE",
            refused=f"{_differs(_NUMBERS, differ)} AND NOT ({merges} AND (({departs}) OR ({lands})))",
        ),
        _Rule(
            name=f"{ATTEMPT_LIMIT}_moved",
            table="attempts",
            event="UPDATE",
            refused=f"{_differs(_NUMBERS, differ)} AND NEW.number NOT BETWEEN 1 AND {_N_ALLOWED}",
        ),
        _Rule(
            name="shown_attempt_changes_by_ladder",
            table="attempts",
            event="UPDATE",
            refused=f"{_differs(['shown_number'], differ)} AND NOT ({_ARRIVES} AND NEW.shown_number = NEW.number) "
            f"AND NOT ({_IS_LADDER} AND {climbs} AND NOT {_is_kept(line, 'ladder')})",
        ),
        _Rule(
            name="attempt_is_voided_by_the_log",
            table="attempts",
            event="UPDATE",
            refused=f"{_differs(['voided_at'], differ)} AND NOT ({voids})",
        ),
        _Rule(
            name="solution_changes_by_rescore",
            table="contest",
            event="UPDATE",
            refused=f"{_differs(['solution_digest'], differ)} AND NOT {by_rescore}",
        ),
        _Rule(
            name="team_is_merged_by_the_log",
            table="teams",
            event="UPDATE",
            refused=f"{_differs(['id'], differ)} OR ({_differs(['merged_into'], differ)} AND NOT {_by(line, 'merge')})",
        ),
    ]


def _build_histories(line: str, differ: str) -> list[_History]:
    """Build what updates of attempts leave behind, in the same transaction."""
    scores = ", ".join(_OLD_SCORES)
    old = ", ".join(f"OLD.{name}" for name in _OLD_SCORES)
    moment = f"(SELECT done_at FROM host_log WHERE id = {line})"
    changes = {
        "merge": "NEW.is_moving AND NOT OLD.is_moving",
        "ladder": f"{_differs(['shown_number'], differ)} AND NOT {_ARRIVES}",
        "void": _differs(["voided_at"], differ),
    }
    numbers = "INSERT INTO old_numbers (attempt_id, log_id, action, team_id, number, shown_number)"
    return [
        _History(
            name="scores",
            condition=_differs((*_OLD_SCORES, "predicted"), differ),
            statement=f"INSERT INTO old_scores (attempt_id, log_id, {scores}, replaced_at) "
            f"VALUES (OLD.id, {line}, {old}, {moment})",
        ),
        *(
            _History(
                name=action,
                condition=condition,
                statement=f"{numbers} VALUES (OLD.id, {line}, '{action}', OLD.team_id, OLD.number, OLD.shown_number)",
            )
            for action, condition in changes.items()
        ),
    ]


def _sqlite() -> list[str]:
    line, differ = "(SELECT MAX(id) FROM host_log)", "IS NOT"
    refuse = "BEGIN SELECT RAISE(ABORT, '{}'); END"
    statements = [
        f"CREATE TRIGGER {rule.name}_{rule.event} BEFORE {rule.event} ON {rule.table} "
        f"WHEN {rule.refused} {refuse.format(rule.name)}"
        for rule in _build_rules(line, differ)
    ]
    statements += [
        f"CREATE TRIGGER attempts_keep_{kept.name} AFTER UPDATE ON attempts WHEN {kept.condition} BEGIN {kept.statement}; END"
        for kept in _build_histories(line, differ)
    ]
    for table in (*_GROWING, *_STAYING):
        refusal = refuse.format(f"{table}_{APPEND_ONLY}")
        verbs = ("DELETE",) if table in (*_CHANGED, *_STAYING) else ("UPDATE", "DELETE")
        statements += [f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} {refusal}" for verb in verbs]
    # INSERT OR REPLACE and UPDATE OR REPLACE delete a row without a trigger for it.
    for table in (*_GROWING, "contest"):
        key = _KEYS.get(table, "id = NEW.id")
        statements.append(_refuse_replacement(table, "INSERT", key))
    sent = "team_id = NEW.team_id AND (number = NEW.number OR submission_digest = NEW.submission_digest)"
    statements.append(_refuse_replacement("attempts", "INSERT", sent, "_sent"))
    statements.append(_refuse_replacement("teams", "INSERT", "id = NEW.id OR name_key = NEW.name_key"))
    statements.append(_refuse_replacement("teams", "UPDATE", "name_key = NEW.name_key AND id <> OLD.id", "_renamed"))
    return statements


def _refuse_replacement(table: str, event: str, key: str, suffix: str = "") -> str:
    return (
        f"CREATE TRIGGER {table}_replace{suffix} BEFORE {event} ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) "
        f"BEGIN SELECT RAISE(ABORT, '{table}_{APPEND_ONLY}'); END"
    )


def _postgresql() -> list[str]:
    line = "(SELECT MAX(id) FROM host_log WHERE xmin::text::bigint = mod(txid_current(), 4294967296))"
    differ, statements = "IS DISTINCT FROM", []
    for rule in _build_rules(line, differ):
        body = f"IF {rule.refused} THEN {_raise(rule.name)} END IF; RETURN NEW;"
        statements += _postgresql_trigger(rule.name, f"BEFORE {rule.event} ON {rule.table} FOR EACH ROW", body)
    for kept in _build_histories(line, differ):
        body = f"IF {kept.condition} THEN {kept.statement}; END IF; RETURN NULL;"
        statements += _postgresql_trigger(f"attempts_keep_{kept.name}", "AFTER UPDATE ON attempts FOR EACH ROW", body)
    for table in (*_GROWING, *_STAYING):
        verbs = "DELETE OR TRUNCATE" if table in (*_CHANGED, *_STAYING) else "UPDATE OR DELETE OR TRUNCATE"
        name = f"{table}_{APPEND_ONLY}"
        statements += _postgresql_trigger(name, f"BEFORE {verbs} ON {table} FOR EACH STATEMENT", _raise(name))
    return statements


def _raise(name: str) -> str:
    return f"RAISE EXCEPTION '{name}' USING ERRCODE = 'check_violation';"


def _postgresql_trigger(name: str, moment: str, body: str) -> list[str]:
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT "
        f"AS $$ BEGIN {body} END $$",
        f"CREATE TRIGGER {name} {moment} EXECUTE FUNCTION {name}()",
    ]
