"""The session's record: one SQLite file that only grows, and its readers."""
