"""The plain spellings of `invoke`, parsed without click.

Whatever is not plain (an unknown word, `--help`, a variable that sets an option) is left to click:
``parse`` answers None. A test holds both parsers to the same answer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from lambdash.cli.invocation import InvokeRequest, perform
from lambdash.cli.terminal import Terminal
from lambdash.client.settings import Settings
from lambdash.errors import LambdashError

_VALUES = {
    "-p": "payload",
    "--payload": "payload",
    "-m": "manifest",
    "--manifest": "manifest",
    "--engine": "engine",
}
_FLAGS = {
    "--json": "json",
    "-q": "quiet",
    "--quiet": "quiet",
    "--cold": "cold",
    "--tail": "tail",
}
# Read here, or no option at all
_NOT_OPTIONS = frozenset({"LAMBDASH_ENGINE", "LAMBDASH_MANIFEST", "LAMBDASH_STORE"})
_ENGINES = frozenset({"docker", "process"})


def parse(words: Sequence[str]) -> InvokeRequest | None:
    """The request, or None where click has to look."""
    if any(name.startswith("LAMBDASH_") and name not in _NOT_OPTIONS for name in os.environ):
        return None
    functions: list[str] = []
    values: dict[str, str] = {}
    flags: set[str] = set()
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word in _FLAGS:
            flags.add(_FLAGS[word])
        elif word in _VALUES and position < len(words):
            values[_VALUES[word]] = words[position]
            position += 1
        elif word.startswith("-") or functions:
            return None
        else:
            functions.append(word)
    return _request(functions[0], values, flags) if functions and functions[0] else None


def _request(function: str, values: dict[str, str], flags: set[str]) -> InvokeRequest | None:
    manifest = values.get("manifest") or os.environ.get("LAMBDASH_MANIFEST") or None
    engine = values.get("engine", os.environ.get("LAMBDASH_ENGINE") or None)
    if engine is not None and engine not in _ENGINES:
        return None
    terminal = Terminal(json="json" in flags, quiet="quiet" in flags)
    request = InvokeRequest(function, Settings(manifest, engine), terminal)
    request.payload = values.get("payload", "{}")
    request.body["cold"] = "cold" in flags
    request.body["tail"] = "tail" in flags
    return request


def run(request: InvokeRequest) -> int:
    """Perform the invocation, rendering what goes wrong."""
    try:
        return perform(request)
    except LambdashError as error:
        return request.terminal.fail(error)
    except BrokenPipeError:
        return 0
    finally:
        request.terminal.close()
