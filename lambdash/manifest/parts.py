"""What all parts of the manifest's grammar are made of: scalar types, and their base model."""

from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from lambdash import limits
from lambdash.manifest import runtimes
from lambdash.manifest.values import Interpolated

VARIABLE_PATTERN = r"^[a-zA-Z][a-zA-Z0-9_]+$"


def _whole(value: Any) -> Any:
    """A reference in a whole-number field stands for a number."""
    if isinstance(value, Interpolated):
        try:
            return int(value) if len(value) <= 18 else value
        except ValueError:
            return value
    return value


def _number(value: Any) -> Any:
    if isinstance(value, Interpolated):
        try:
            return float(value) if len(value) <= 18 else value
        except ValueError:
            return value
    return value


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
Number: TypeAlias = Annotated[float, BeforeValidator(_number)]
Version: TypeAlias = Annotated[int, WithJsonSchema({"const": 1})]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Files: TypeAlias = Annotated[
    list[Text],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
# the literal source text of a number or a boolean is taken
Variables: TypeAlias = Annotated[
    dict[str, str],
    WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"pattern": VARIABLE_PATTERN},
            "additionalProperties": {"type": ["string", "number", "boolean"]},
        }
    ),
]
Arguments: TypeAlias = Annotated[
    dict[str, str],
    WithJsonSchema(
        {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}}
    ),
]
Reference: TypeAlias = Annotated[str, Field(pattern=r"^\S+$")]
Host: TypeAlias = Annotated[str, Field(pattern=r"^[^\s:=]+[:=]\S+$")]
Handler: TypeAlias = Annotated[str, Field(pattern=r"^\S+$", max_length=limits.HANDLER_MAX_CHARS)]
Runtime: TypeAlias = Annotated[str, Field(json_schema_extra={"enum": list(runtimes.KNOWN)})]
ImageItems: TypeAlias = Annotated[list[str], Field(max_length=limits.IMAGE_CONFIG_ITEMS_MAX)]


class Part(BaseModel):
    """What all parts of the grammar share: nothing unknown, nothing coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
