"""The background process of a project: builds the parts, serves, ends cleanly."""
