"""Tables, triggers, migrations and backups of a contest."""
