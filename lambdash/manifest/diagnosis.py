"""Validates a mapping of the manifest against its model and says in plain words what is wrong."""

from collections.abc import Mapping as MappingType
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lambdash.manifest import connection_grammar, grammar, later
from lambdash.manifest.document import Entry, Mapping, Path, entry_at
from lambdash.manifest.problems import Position, Reporter, did_you_mean, shown, snake_case
from lambdash.manifest.values import Interpolated, Values

M = TypeVar("M", bound=BaseModel)
Names: TypeAlias = MappingType[str, str]

_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
}
_UNITS = {
    "memory_size": " MB",
    "ephemeral_storage": " MB",
    "timeout": " seconds",
    "keep_alive": " seconds",
}


def validated(model: type[M], node: Mapping, path: Path, values: Values) -> M:
    """The model of a mapping. What is wrong is reported and left out, so that it hides nothing."""
    reporter = values.reporter
    known = model.model_fields
    plain = {}
    for name, entry in node.entries.items():
        if name in known:
            value = values.entry(entry, (*path, name))
            if value is not None:
                plain[name] = value
        else:
            report_unknown_key(reporter, entry.key_position, (*path, name), list(known))
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if reporter.problems.full:
                reporter.problems.omitted += 1
            else:
                _report(detail, node, path, reporter)
            _discard(plain, detail["loc"])
        return model.model_validate(plain)


def report_unknown_key(
    reporter: Reporter, position: Position, path: Path, known: list[str]
) -> None:
    """A key the grammar does not have: built later, meant elsewhere, or simply unknown."""
    name = str(path[-1])
    if reporter.problems.full:
        reporter.problems.omitted += 1
        return
    sections = _later(path)
    meant = name if name in sections else _aws_spelling(name, sections, known)
    if meant in sections:
        refuse_later(reporter, position, name, sections[meant], later.INSTEAD.get(meant, ""))
        return
    hint = _elsewhere(name, path) or did_you_mean(name, [*known, *sections])
    reporter.report("unknown-key", position, f"unknown key {shown(name)}", hint)


def refuse_later(
    reporter: Reporter, position: Position, name: str, meaning: str, instead: str = ""
) -> None:
    """Report what is built later: ``name`` as written, ``meaning`` in words."""
    aside = "" if meaning == name.replace("_", " ") else f" ({meaning})"
    reporter.report(
        "not-supported-yet", position, f"{shown(name)}{aside} is not supported yet", instead
    )


def _later(path: Path) -> Names:
    match path:
        case ("limits", _):
            return later.LIMIT_KEYS
        case ("functions", _, "build", _):
            return later.BUILD_KEYS
        case (_,) | ("defaults", _) | ("functions", _, _):
            return later.SECTIONS
    return {}


def _aws_spelling(name: str, sections: Names, known: list[str]) -> str:
    """AWS's own spelling (`SnapStart`, `VpcConfig`) of something not built yet, else nothing."""
    spelled = snake_case(name)
    return spelled if spelled in sections and spelled not in known else ""


def _elsewhere(name: str, path: Path) -> str:
    in_functions = name in grammar.FunctionEntry.model_fields
    if len(path) == 1 and name in grammar.Settings.model_fields:
        return "it belongs in a function, or in `defaults` for all of them"
    if path[0] == "defaults" and name in grammar.FunctionEntry.model_fields:
        return "it belongs in each function" + (
            "; at the top of the manifest it is for all of them"
            if name in grammar.Project.model_fields
            else ""
        )
    if len(path) == 1 and in_functions:
        return "it belongs in a function: `functions: {NAME: {...}}`"
    if len(path) > 1 and name in grammar.ManifestDocument.model_fields:
        return "it belongs at the top of the manifest"
    return ""


def _report(detail: ErrorDetails, node: Mapping, path: Path, reporter: Reporter) -> None:
    location = detail["loc"]
    entry = entry_at(node, location)
    position = entry.node.position if entry else node.position
    name = next((str(step) for step in reversed(location) if isinstance(step, str)), "")
    kind, given = detail["type"], detail["input"]
    if not path and location == ("version",):
        reporter.report(
            "version-unknown",
            position,
            f"`version` must be 1, not {_described(given)}",
            "1 is the only version there is",
        )
    elif kind == "extra_forbidden":
        key_position = entry.key_position if entry else position
        known = _fields_of(location[:-1])
        report_unknown_key(reporter, key_position, (*path, *location), known)
    elif kind == "literal_error":
        _report_choice(reporter, position, name, detail)
    elif kind in _WANTED:
        reporter.report(
            "wrong-type",
            position,
            f"{shown(name)} must be {_WANTED[kind]}, not {_described(given)}",
            _type_hint(given, entry, _WANTED[kind]),
        )
    else:
        reporter.report("out-of-range", position, *_out_of_range(name, detail))


def _report_choice(reporter: Reporter, position: Position, name: str, detail: ErrorDetails) -> None:
    given = detail["input"]
    if name == "engine" and str(given) in later.ENGINES:
        refuse_later(reporter, position, str(given), later.ENGINES[str(given)])
        return
    expected = detail["ctx"]["expected"].replace("'", "`")
    choices = detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    meant = _SYNONYMS.get(given) if isinstance(given, str) else None
    hint = f"write `{meant}`" if meant else did_you_mean(str(given), choices)
    reporter.report(
        "wrong-choice", position, f"{shown(name)} must be {expected}, not {_described(given)}", hint
    )


def _out_of_range(name: str, detail: ErrorDetails) -> tuple[str, str]:
    given, context = detail["input"], detail.get("ctx", {})
    subject, unit = shown(name), _UNITS.get(name, "")
    match detail["type"]:
        case "greater_than_equal":
            return f"{subject} is {given}, less than {context['ge']:g}{unit}", _bounds_hint(name)
        case "less_than_equal":
            return f"{subject} is {given}, more than {context['le']:g}{unit}", _bounds_hint(name)
        case "string_too_short":
            return f"{subject} is empty", "give it a value, or remove the key"
        case "string_too_long":
            return f"{subject} is longer than {context['max_length']} characters", ""
        case "too_long":
            return f"{subject} has more than {context['max_length']} items", ""
        case _:
            return f"{subject} cannot be {shown(given)}", _PATTERN_HINTS.get(name, "")


_SYNONYMS = {"amd64": "x86_64", "x64": "x86_64", "aarch64": "arm64"}

_PATTERN_HINTS = {
    "region": "a region looks like `eu-west-1`",
    "account_id": "an account id has 12 digits",
    "extra_hosts": "write `name:address`, such as `db:10.0.0.5`",
    "handler": "a handler has no spaces, such as `app.handler`",
    "image": "an image reference has no spaces, such as `shop/orders:1`",
    "base_image": "an image reference has no spaces, such as `shop/python:3.13`",
}


def _bounds_hint(name: str) -> str:
    field = grammar.FunctionEntry.model_fields.get(name)
    bounds = {
        key: value
        for item in (field.metadata if field else ())
        for key in ("ge", "le")
        if (value := getattr(item, key, None)) is not None
    }
    if len(bounds) < 2:
        return ""
    return f"from {bounds['ge']:g} to {bounds['le']:g}{_UNITS.get(name, '')}"


def _described(value: Any) -> str:
    match value:
        case bool():
            return f"the boolean {str(value).lower()}"
        case int() | float():
            return f"the number {shown(value).strip('`')}"
        case str():
            return f"the text {shown(value)}" if value else "empty text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _type_hint(given: Any, entry: Entry | None, wanted: str) -> str:
    source = getattr(entry.node, "text", "") if entry else ""
    if wanted == "text" and isinstance(given, (bool, int, float)):
        reading = "a boolean" if isinstance(given, bool) else "a number"
        return f'YAML reads {shown(source)} as {reading}; write "{source}" if text is meant'
    if wanted.endswith("number") and isinstance(given, str) and not isinstance(given, Interpolated):
        if any(character in "_:" for character in given) or given.lstrip("+-").startswith("0"):
            return "write plain decimal digits: YAML versions disagree on `0200`, `1_000`, `1:30`"
        if given.strip().isdigit():
            return f"remove the quotes: {given.strip()}"
    return ""


def _fields_of(location: tuple[int | str, ...]) -> list[str]:
    """The keys of the part inside a function or the project that a path of names leads to."""
    if location[0] == "layers":
        return list(grammar.LayerEntry.model_fields)
    if location[0] == "resources" and len(location) > 2:
        return list(connection_grammar.QueueEntry.model_fields)
    nested: dict[str, type[BaseModel]] = {
        "build": grammar.Build,
        "cors": connection_grammar.CorsEntry,
        "dead_letter": connection_grammar.TargetEntry,
        "destinations": connection_grammar.DestinationsEntry,
        "image_config": grammar.ImageConfig,
        "limits": grammar.Limits,
        "logging_config": grammar.LoggingConfig,
        "on_failure": connection_grammar.TargetEntry,
        "on_success": connection_grammar.TargetEntry,
        "resources": connection_grammar.Resources,
        "url": connection_grammar.UrlEntry,
    }
    return list(nested[str(location[-1])].model_fields)


def _discard(values: dict[str, Any], location: tuple[int | str, ...]) -> None:
    """Remove what an error points at: one key of a mapping, or the whole list an item is in."""
    for step in location[:-1]:
        inner = values.get(str(step))
        if not isinstance(inner, dict):
            values.pop(str(step), None)
            return
        values = inner
    values.pop(str(location[-1]), None)
