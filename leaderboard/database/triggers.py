"""Triggers of both databases for rules beyond constraints: the number of attempts, and append-only tables."""

from __future__ import annotations

from sqlalchemy import Connection

ATTEMPT_LIMIT = "attempt_number_is_1_to_n_allowed"  # these names stand in the database's error messages
APPEND_ONLY = "is_append_only"
_GROWING = ("host_log", "old_scores", "verifications")


def create_triggers(connection: Connection) -> None:
    """Add the triggers to tables that were just created."""
    statements = _sqlite() if connection.dialect.name == "sqlite" else _postgresql()
    for statement in statements:
        connection.exec_driver_sql(statement)


def _sqlite() -> list[str]:
    n_allowed = "COALESCE((SELECT n_allowed FROM teams WHERE id = NEW.team_id), 0)"
    refuse = "BEGIN SELECT RAISE(ABORT, '{}'); END"
    limit = [
        f"CREATE TRIGGER {ATTEMPT_LIMIT}_{event.split()[0].lower()} BEFORE {event} ON attempts "
        f"WHEN NEW.number NOT BETWEEN 1 AND {n_allowed} {refuse.format(ATTEMPT_LIMIT)}"
        for event in ("INSERT", "UPDATE OF number, team_id")
    ]
    limit.append(
        f"CREATE TRIGGER {ATTEMPT_LIMIT}_lowered BEFORE UPDATE OF n_allowed ON teams "
        f"WHEN NEW.n_allowed < OLD.n_allowed {refuse.format(ATTEMPT_LIMIT)}"
    )
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
            DECLARE allowed integer;
            BEGIN
              SELECT n_allowed INTO allowed FROM teams WHERE id = NEW.team_id FOR SHARE;
              IF NEW.number < 1 OR NEW.number > COALESCE(allowed, 0) THEN {refuse.format(ATTEMPT_LIMIT)}; END IF;
              RETURN NEW;
            END $$""",
        f"""CREATE TRIGGER {ATTEMPT_LIMIT} BEFORE INSERT OR UPDATE ON attempts
            FOR EACH ROW EXECUTE FUNCTION {ATTEMPT_LIMIT}()""",
        f"""CREATE OR REPLACE FUNCTION {ATTEMPT_LIMIT}_lowered() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN {refuse.format(ATTEMPT_LIMIT)}; END $$""",
        f"""CREATE TRIGGER {ATTEMPT_LIMIT}_lowered BEFORE UPDATE ON teams FOR EACH ROW
            WHEN (NEW.n_allowed < OLD.n_allowed) EXECUTE FUNCTION {ATTEMPT_LIMIT}_lowered()""",
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
