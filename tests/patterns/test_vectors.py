"""The recorded patterns, where they are at hand: expectations computed with event-ruler itself."""

import json
import os
from pathlib import Path

import pytest

from lambdash.patterns import InvalidPattern, compile_filter_criteria, compile_pattern, parse_event

_BESIDE = Path(__file__).resolve().parents[3]
_FOLDERS = (
    Path(os.environ.get("LAMBDASH_VECTORS", _BESIDE / "shared" / "vectors")),
    _BESIDE.parent / "shared" / "vectors",
)
_FILE = next(
    (path for folder in _FOLDERS if (path := folder / "filter_vectors_dev.json").is_file()), None
)


def _vectors() -> list[dict[str, object]]:
    return json.loads(_FILE.read_text()) if _FILE is not None else []


def _outcome(vector: dict) -> tuple[str, str | None]:
    try:
        pattern = compile_pattern(vector["pattern"])
    except InvalidPattern as problem:
        return "invalid", problem.reason
    if vector.get("syntax_only"):
        return "valid", None
    matches = pattern.matches(parse_event(vector["event"]))
    return ("match" if matches else "nomatch"), None


@pytest.mark.skipif(_FILE is None, reason="the recorded patterns are not at hand")
@pytest.mark.parametrize("vector", _vectors(), ids=lambda vector: vector["id"])
def test_a_recorded_pattern_decides_as_event_ruler_does(vector: dict) -> None:
    assert _outcome(vector) == (vector["expect"], vector.get("ruler_why"))


@pytest.mark.skipif(_FILE is None, reason="the recorded patterns are not at hand")
def test_patterns_of_event_source_mappings_are_accepted_where_the_pattern_is_valid() -> None:
    for vector in _vectors():
        if vector["esm"] and vector["expect"] != "invalid":
            compile_filter_criteria([vector["pattern"]], None)
