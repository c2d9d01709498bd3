"""Triggers of both databases for rules beyond constraints: the number of attempts, and append-only tables."""

from __future__ import annotations

from sqlalchemy import Connection

from leaderboard.database.schema import N_ATTEMPTS

ATTEMPT_LIMIT = "attempt_number_is_1_to_n_allowed"  # these names stand in the database's error messages
APPEND_ONLY = "is_append_only"
_N_ALLOWED = f"({N_ATTEMPTS} + (SELECT COALESCE(SUM(n_granted), 0) FROM host_log WHERE team_id = NEW.team_id))"
_GROWING = ("host_log", "old_scores", "verifications")


def create_triggers(connection: Connection) -> None:
    """Add the triggers to tables that were just created."""
    statements = _sqlite() if connection.dialect.name == "sqlite" else _postgresql()
    for statement in statements:
        connection.exec_driver_sql(statement)


def _sqlite() -> list[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, '{}'); END"
    limit = [
        f"CREATE TRIGGER {ATTEMPT_LIMIT}_{event.split()[0].lower()} BEFORE {event} ON attempts "
        f"WHEN NEW.number NOT BETWEEN 1 AND {_N_ALLOWED} {refuse.format(ATTEMPT_LIMIT)}"
        for event in ("INSERT", "UPDATE OF number, team_id")
    ]
    for table in _GROWING:
        refusal = refuse.format(f"{table}_{APPEND_ONLY}")
        limit += [f"CREATE TRIGGER {table}_{verb.lower()} BEFORE {verb} ON {table} {refusal}" for verb in ("UPDATE", "DELETE")]
        condition = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"  # INSERT OR REPLACE deletes without a trigger
        limit.append(f"CREATE TRIGGER {table}_replace BEFORE INSERT ON {table} {condition} {refusal}")
    return limit


def _postgresql() -> list[str]:
    refuse = "RAISE EXCEPTION '{}' USING ERRCODE = 'check_violation'"
    statements = [
        f"""CREATE OR REPLACE FUNCTION {ATTEMPT_LIMIT}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF NEW.number NOT BETWEEN 1 AND {_N_ALLOWED} THEN {refuse.format(ATTEMPT_LIMIT)}; END IF;
              RETURN NEW;
            END $$""",
        f"""CREATE TRIGGER {ATTEMPT_LIMIT} BEFORE INSERT OR UPDATE ON attempts
            FOR EACH ROW EXECUTE FUNCTION {ATTEMPT_LIMIT}()""",
    ]
    for table in _GROWING:
        name = f"{table}_{APPEND_ONLY}"
        statements += [
            f"""CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN {refuse.format(name)}; END $$""",
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
        ]
    return statements
