"""Statistics that only the report needs."""
