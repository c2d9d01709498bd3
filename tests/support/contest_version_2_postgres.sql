-- Triggers of version 2 on PostgreSQL; contest_version_2.sql has those of SQLite.
CREATE OR REPLACE FUNCTION attempt_number_is_1_to_n_allowed() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE allowed integer; BEGIN SELECT n_allowed INTO allowed FROM teams WHERE id = NEW.team_id FOR SHARE; IF NEW.number < 1 OR NEW.number > COALESCE(allowed, 0) THEN RAISE EXCEPTION 'attempt_number_is_1_to_n_allowed' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$;

CREATE TRIGGER attempt_number_is_1_to_n_allowed BEFORE INSERT OR UPDATE ON attempts FOR EACH ROW EXECUTE FUNCTION attempt_number_is_1_to_n_allowed();

CREATE OR REPLACE FUNCTION attempt_number_is_1_to_n_allowed_lowered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'attempt_number_is_1_to_n_allowed' USING ERRCODE = 'check_violation'; END $$;

CREATE TRIGGER attempt_number_is_1_to_n_allowed_lowered BEFORE UPDATE ON teams FOR EACH ROW WHEN (NEW.n_allowed < OLD.n_allowed) EXECUTE FUNCTION attempt_number_is_1_to_n_allowed_lowered();

CREATE OR REPLACE FUNCTION host_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'host_log_is_append_only' USING ERRCODE = 'check_violation'; END $$;

CREATE TRIGGER host_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON host_log FOR EACH STATEMENT EXECUTE FUNCTION host_log_is_append_only();

CREATE OR REPLACE FUNCTION old_scores_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'old_scores_is_append_only' USING ERRCODE = 'check_violation'; END $$;

CREATE TRIGGER old_scores_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON old_scores FOR EACH STATEMENT EXECUTE FUNCTION old_scores_is_append_only();

CREATE OR REPLACE FUNCTION verifications_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'verifications_is_append_only' USING ERRCODE = 'check_violation'; END $$;

CREATE TRIGGER verifications_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verifications FOR EACH STATEMENT EXECUTE FUNCTION verifications_is_append_only();

