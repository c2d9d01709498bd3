"""What a report tells, as plain values."""
