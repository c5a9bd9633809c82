"""A session's review: what it says, and how it is written."""
