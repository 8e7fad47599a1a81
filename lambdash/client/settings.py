"""What every command may say about its project and the daemon it talks to."""

from __future__ import annotations


class Settings:
    """Values of the global options; None where the user said nothing.

    A plain class: a warm ``invoke`` imports this module and must not pay for ``dataclasses``.
    ``env_vars`` is the absolute path of a SAM ``--env-vars`` file.
    """

    __slots__ = ("engine", "env_vars", "manifest", "port")

    def __init__(
        self,
        manifest: str | None = None,
        engine: str | None = None,
        env_vars: str | None = None,
        port: int | None = None,
    ) -> None:
        self.manifest = manifest
        self.engine = engine
        self.env_vars = env_vars
        self.port = port

    def daemon_options(self) -> list[str]:
        """The part of the daemon's command line that these settings make."""
        given = (
            ("--engine", self.engine),
            ("--env-vars", self.env_vars),
            ("--port", None if self.port is None else str(self.port)),
        )
        return [word for name, value in given if value is not None for word in (name, value)]
