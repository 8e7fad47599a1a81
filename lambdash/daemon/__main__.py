"""``python -m lambdash.daemon``: what a client starts; not meant to be typed."""

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from lambdash import limits
from lambdash.daemon.control import failure
from lambdash.daemon.lifecycle import Daemon, DaemonOptions
from lambdash.daemon.loop import fastest_loop
from lambdash.errors import LambdashError
from lambdash.model.project import locate


def main() -> int:
    """Serve until asked to end. Exit code 0, or that of the error it could not start for."""
    arguments = _arguments()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    options = DaemonOptions(
        project=locate(arguments.manifest, os.environ),
        engine=arguments.engine,
        port=arguments.port,
        env_vars=arguments.env_vars,
        idle_timeout_s=arguments.idle_timeout,
    )
    try:
        with asyncio.Runner(loop_factory=fastest_loop()) as runner:
            return runner.run(_serve(options, arguments.ready_fd))
    except LambdashError as error:
        event = failure(error)
        _report(arguments.ready_fd, {"error": event["error"], "exit_code": error.exit_code})
        print(f"error: {error.message} ({error.code})", file=sys.stderr)  # noqa: T201
        return error.exit_code


async def _serve(options: DaemonOptions, ready: int | None) -> int:
    daemon = Daemon(options, os.environ)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, daemon.end)
    async with daemon.serving():
        notices = [{"event": "notice", "text": daemon.choice.notice}]
        document = {"ok": True, "endpoint": daemon.endpoint, "pid": os.getpid()}
        _report(ready, {**document, "notices": notices if daemon.choice.notice else []})
        logging.getLogger("lambdash.daemon").info("serving at %s", daemon.endpoint)
        # Modules and models live as long as the daemon: a full collection that walks them holds
        # every invocation up for tens of milliseconds, and finds nothing.
        gc.freeze()
        await daemon.wait()
    return 0


def _report(ready: int | None, document: dict[str, Any]) -> None:
    """One line to the client that started us; it may have gone already."""
    if ready is None:
        return
    with suppress(OSError):
        os.write(ready, json.dumps(document).encode() + b"\n")
        os.close(ready)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="lambdash.daemon")
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--engine")
    parser.add_argument("--port", type=int)
    parser.add_argument("--env-vars", type=Path)
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--idle-timeout", type=float, default=limits.DAEMON_IDLE_TIMEOUT_S)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
