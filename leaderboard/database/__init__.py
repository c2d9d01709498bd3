"""Tables, triggers, migrations and copies of the contest."""
