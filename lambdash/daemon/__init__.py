"""The background process of a project: builds the parts, serves the control socket, ends cleanly."""
