"""The console script. A plain `invoke` is parsed without click, whose import costs more than the
invocation; everything else, and every mistake, goes through click.
"""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command line; returns the exit code of the CLI contract."""
    try:
        return _run(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["invoke"]:
        from lambdash.cli import quick

        request = quick.parse(arguments[1:])
        if request is not None:
            return quick.run(request)
    from lambdash.cli import application

    return application.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
