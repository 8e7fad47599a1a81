"""The one family of errors: each says whose fault it is, has a stable code, ends with a hint.

Rendering belongs to the edges (CLI, HTTP); foreign exceptions are mapped once, in the adapter that
calls the foreign library, with ``raise ... from``.
"""

import errno

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class LambdashError(Exception):
    """Base of every error lambdash raises on purpose.

    ``code`` is stable and kebab-case (``function-not-found``); ``message`` says what happened to
    what; ``hint`` says what to do about it, or is empty.
    """

    exit_code = 3

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    @property
    def sentences(self) -> str:
        """Message and hint as one text, for edges that have one member for both."""
        return sentences(self.message, self.hint)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r}, {self.message!r})"


class CallerError(LambdashError):
    """The caller's mistake: a bad manifest, an unknown function, a payload that is not JSON."""

    exit_code = 2


class FunctionError(LambdashError):
    """The function's own code failed outside an invocation (a build command, say)."""

    exit_code = 1


class PlatformError(LambdashError):
    """The machine, the engine or lambdash itself failed; the caller's input was fine."""

    exit_code = 3


def sentences(message: str, hint: str) -> str:
    """``message``, and ``hint`` where there is one, as sentences."""
    return f"{message}; {hint}" if hint else message


def write_failed(error: OSError, otherwise: PlatformError) -> PlatformError:
    """What a failed write means: ``disk-full`` where there was no room, else ``otherwise``."""
    if error.errno not in _FULL:
        return otherwise
    return PlatformError(
        "disk-full",
        f"{otherwise.message}: no space is left",
        "free some space; `lambdash prune` shrinks the store of packages",
    )
