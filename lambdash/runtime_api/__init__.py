"""The Runtime API of one execution environment as a pure session: events in, commands out."""
