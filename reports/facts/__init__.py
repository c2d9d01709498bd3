"""Values of a report's page as plain frozen dataclasses."""
