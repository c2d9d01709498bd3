"""Actions of teams and hosts on a contest, each one transaction."""
