"""Replays recorded scenarios: the calls in order, each answer of AWS's beside ours.

The calls carry ids which another service handed out when they were recorded; ours hands out others.
They are exchanged by kind: a revision id for the newest one of that function, a marker for the one
just given, and so on.
"""

import base64
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from tests.conformance.matching import Bindings, differences

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CSC = re.compile(r"csc-[0-9a-f]{17}")
_ERRORS = re.compile(r"^(\d+) validation errors? detected: (.*)$", re.DOTALL)


@dataclass
class Verdict:
    """One recorded answer; no ``differences`` means that ours is equal."""

    scenario: str
    name: str
    operation: str
    differences: list[str]


@dataclass
class Scenario:
    """One scenario against a client."""

    name: str
    aws: Any
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    bindings: Bindings = field(default_factory=Bindings)
    ids: dict[str, str] = field(default_factory=dict)
    made: dict[str, list[str]] = field(default_factory=dict)
    markers: dict[str, str] = field(default_factory=dict)
    revisions: dict[str, str] = field(default_factory=dict)

    def play(self, steps: list[dict[str, Any]]) -> Iterator[Verdict]:
        answered = False
        for step in steps:
            if "op" in step:
                if answered:
                    self.answers.clear()
                answered = False
                self._call(step["op"], step["params"])
            else:
                answered = True
                yield self._judge(step["aws_recorded"], step["answer"])

    def _call(self, operation: str, recorded: dict[str, Any]) -> None:
        parameters = self._ours(operation, recorded)
        if self._is_past_the_end(operation, parameters):
            return
        try:
            answer = getattr(self.aws, xform_name(operation))(**parameters)
        except ClientError as error:
            answer = error.response
        answer = json.loads(json.dumps(answer, default=_plain))
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        answer["ResponseMetadata"] = {"HTTPHeaders": {}, "HTTPStatusCode": status}
        self._remember(operation, recorded, answer)
        self.answers.insert(0, (operation, answer))

    def _is_past_the_end(self, operation: str, parameters: dict[str, Any]) -> bool:
        """A further page of a list that has ended here: other things were in the account then."""
        return "Marker" in parameters and self.markers.get(operation) == ""

    def _judge(self, name: str, expected: Any) -> Verdict:
        best: tuple[str, list[str]] | None = None
        for operation, form in self._forms():
            bindings = self.bindings.copy()
            found = differences(expected, form, bindings)
            if not found:
                self.bindings = bindings
                return Verdict(self.name, name, operation, [])
            if best is None or len(found) < len(best[1]):
                best = operation, found
        operation, found = best or ("", ["nothing was answered"])
        return Verdict(self.name, name, operation, found)

    def _forms(self) -> Iterator[tuple[str, Any]]:
        """Our answers since the last recorded one, in the shapes that recordings have."""
        for operation, answer in self.answers:
            yield operation, answer
            bare = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
            yield operation, bare
            yield (
                operation,
                {
                    "CreateEventSourceMappingResponse": None,
                    "CreateFunctionResponse": answer,
                },
            )
            if "Error" in answer:
                yield operation, _error_form(answer["Error"])
            for value in bare.values():
                if isinstance(value, list):
                    yield from ((operation, item) for item in value)
        yield from self._joined()

    def _joined(self) -> Iterator[tuple[str, Any]]:
        """Pages of one list as one."""
        lists: dict[str, list[list[Any]]] = {}
        for _, answer in reversed(self.answers):
            for name, value in answer.items():
                if isinstance(value, list):
                    pages = lists.setdefault(name, [[]])
                    pages[-1].extend(value)
                    if "NextMarker" not in answer:
                        pages.append([])
        for name, found in lists.items():
            yield from ((f"pages of {name}", {name: joined}) for joined in found if joined)

    # -- ids -----------------------------------------------------------------------------------

    def _remember(self, operation: str, recorded: dict[str, Any], answer: dict[str, Any]) -> None:
        self.markers[operation] = answer.get("NextMarker", "")
        function = _function(recorded)
        configuration = answer.get("Configuration", answer)
        if "RevisionId" in configuration:
            self.revisions[function] = configuration["RevisionId"]
        if operation == "CreateEventSourceMapping" and "UUID" in answer:
            self.made.setdefault("uuid", []).append(answer["UUID"])
        if operation == "CreateCodeSigningConfig" and "CodeSigningConfig" in answer:
            made = answer["CodeSigningConfig"]["CodeSigningConfigId"]
            self.made.setdefault("csc", []).append(made)

    def _ours(self, operation: str, recorded: dict[str, Any]) -> dict[str, Any]:
        parameters = {name: _decoded(value) for name, value in recorded.items()}
        if _UUID.fullmatch(str(parameters.get("RevisionId"))):
            revision = self.revisions.get(_function(recorded))
            parameters["RevisionId"] = revision or parameters["RevisionId"]
        if "Marker" in parameters:
            parameters["Marker"] = self.markers.get(operation, "")
        for name in ("UUID", "Resource", "CodeSigningConfigArn"):
            if isinstance(parameters.get(name), str):
                text = self._exchanged(parameters[name], _UUID, "uuid")
                parameters[name] = self._exchanged(text, _CSC, "csc")
        return parameters

    def _exchanged(self, text: str, pattern: re.Pattern[str], kind: str) -> str:
        found = pattern.search(text)
        made = self.made.get(kind)
        if found is None or not made:
            return text
        ours = self.ids.setdefault(found[0], made[-1])
        return text.replace(found[0], ours)


def _function(parameters: dict[str, Any]) -> str:
    name = str(parameters.get("FunctionName", parameters.get("LayerName", "")))
    qualifier = parameters.get("Qualifier", parameters.get("Name", ""))
    return f"{name.rsplit(':', maxsplit=1)[-1]}:{qualifier}"


def _error_form(error: dict[str, Any]) -> dict[str, Any]:
    found = _ERRORS.match(error["Message"])
    if found is None:
        return {"Code": error["Code"], "Message": error["Message"]}
    problems = sorted(found[2].split("; "))
    return {"Code": error["Code"], "Count": int(found[1]), "Errors": problems}


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return base64.b64decode(value["$bytes"])
    if "$big" in value:
        return _large(value["$big"])
    if "$longstr" in value:
        return value["starts"] + "x" * (value["$longstr"] - len(value["starts"]))
    return {name: _decoded(item) for name, item in value.items()}


def _large(size: int) -> bytes:
    """A stored archive of about this size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", "x" * size)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    if hasattr(value, "timestamp"):
        return value.timestamp()
    if hasattr(value, "read"):
        return value.read().decode("utf-8", "replace")
    return str(value)
