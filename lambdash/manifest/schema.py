"""The JSON Schema of the manifest, from the same models that check it."""

from typing import Any

from lambdash.manifest.grammar import NAME_PATTERN, ManifestDocument

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = {"$ref": "#/$defs/Reference"}


def json_schema() -> dict[str, Any]:
    """The schema editors use: draft 2020-12, a description on every key.

    Where a number, a choice or a pattern is wanted, text with ``${env:NAME}`` is allowed as well.
    """
    schema: dict[str, Any] = ManifestDocument.model_json_schema()
    parts = [schema, *schema["$defs"].values()]
    for part in parts:
        part.pop("title", None)
        part["properties"] = {
            name: _property(name, rules) for name, rules in part["properties"].items()
        }
    schema["properties"]["functions"]["propertyNames"] = {"pattern": NAME_PATTERN}
    schema["$defs"]["Reference"] = {
        "type": "string",
        "pattern": r"\$\{env:[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}",
        "description": "Text with the value of a variable of lambdash's own environment.",
    }
    return {"$schema": _DIALECT, "title": "lambdash manifest", **schema}


def _property(name: str, rules: dict[str, Any]) -> dict[str, Any]:
    """One key: no null (YAML's empty value is refused), no title, references where they can be."""
    described = {
        key: rules[key] for key in ("description", "default") if rules.get(key) is not None
    }
    rest = {
        key: value for key, value in rules.items() if key not in ("title", "description", "default")
    }
    choices = [choice for choice in rest.get("anyOf", ()) if choice != {"type": "null"}]
    if choices:
        outer = {key: value for key, value in rest.items() if key != "anyOf"}
        rest = {**choices[0], **outer} if len(choices) == 1 else {**outer, "anyOf": choices}
    if name == "account_id":
        rest = {"anyOf": [rest, {"type": "integer"}]}
    if name != "version" and _is_narrow(rest):
        rest = {"anyOf": [*rest.get("anyOf", [rest]), _REFERENCE]}
    return {**rest, **described}


def _is_narrow(rules: dict[str, Any]) -> bool:
    """Whether text with a reference in it would not already pass."""
    if "anyOf" in rules:
        return any(_is_narrow(choice) for choice in rules["anyOf"])
    return rules.get("type") in ("integer", "number") or not rules.keys().isdisjoint(
        ("enum", "pattern")
    )
