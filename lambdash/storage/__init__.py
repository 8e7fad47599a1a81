"""SQLite on disk: the state of a project's functions, and the journal of their invocations."""
