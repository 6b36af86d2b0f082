"""The whole catalogue as JSON Lines, CSV or SQLite; docs/export.md describes what is in it."""
