"""Whether an answer is the recorded one, placeholders standing for any fitting value."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

_PLACEHOLDER = re.compile(r"<[a-zA-Z0-9_:.()@-]+>")
_FIXED = {
    "<partition>": "aws",
    "<region>": "us-east-1",
    "111111111111": "000000000000",
}
_REPEATED = re.compile(r"<([a-z]):len\((\d+)\)>")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")


@dataclass
class Bindings:
    """What each placeholder of a scenario stands for: one value, and for each of a kind another."""

    values: dict[str, str] = field(default_factory=dict)

    def copy(self) -> "Bindings":
        return Bindings(dict(self.values))

    def bind(self, placeholder: str, value: str) -> bool:
        if ":" not in placeholder:
            return True
        known = self.values.setdefault(placeholder, value)
        kind = placeholder.partition(":")[0]
        others = (
            held
            for name, held in self.values.items()
            if name != placeholder and name.partition(":")[0] == kind and ":" in name
        )
        return known == value and value not in others


def differences(expected: Any, actual: Any, bindings: Bindings, path: str = "") -> list[str]:
    """Where the two differ, in words; binds placeholders on the way."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = [f"{path}.{name}: missing" for name in expected.keys() - actual.keys()]
        found += [f"{path}.{name}: {actual[name]!r} too many" for name in actual.keys() - expected]
        for name in expected.keys() & actual.keys():
            found += differences(expected[name], actual[name], bindings, f"{path}.{name}")
        return found
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return [f"{path}: {len(actual)} items instead of {len(expected)}"]
        return [
            difference
            for position, pair in enumerate(zip(expected, actual, strict=True))
            for difference in differences(*pair, bindings, f"{path}[{position}]")
        ]
    if isinstance(expected, dict) and isinstance(actual, str):
        return differences(expected, _parsed(actual), bindings, path)
    if isinstance(expected, str) and _matches(expected, actual, bindings):
        return []
    return [] if expected == actual else [f"{path}: {actual!r} instead of {expected!r}"]


def _parsed(text: str) -> Any:
    """Policies are JSON in a string; recordings hold them parsed."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _matches(expected: str, actual: Any, bindings: Bindings) -> bool:
    if expected in ("date", "datetime"):
        return isinstance(actual, int | float) or bool(_DATE.fullmatch(str(actual)))
    if expected == "lambda-url":
        return str(actual).startswith("http")
    for placeholder, value in _FIXED.items():
        expected = expected.replace(placeholder, value)
    expected = _REPEATED.sub(lambda found: found[1] * int(found[2]), expected)
    names = _PLACEHOLDER.findall(expected)
    pattern = "(.+)".join(re.escape(part) for part in _PLACEHOLDER.split(expected))
    found = re.fullmatch(pattern, str(actual), re.DOTALL)
    if found is None:
        return False
    return all(
        bindings.bind(name, value) for name, value in zip(names, found.groups(), strict=True)
    )
