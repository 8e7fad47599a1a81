"""Tags by the ARN of what bears them; those of a function are one of its settings."""

from collections.abc import Mapping

from lambdash.lambda_api.operation import Context

_KIND = "tags"


def tags_of(context: Context, arn: str) -> dict[str, str]:
    """Key to value; empty for what has none."""
    kind, name = arn.split(":")[5:7]
    registry = context.registry
    found = registry.setting(_KIND, name) if kind == "function" else registry.object(_KIND, arn)
    return dict(found or {})


def put_tags(context: Context, arn: str, tags: Mapping[str, str]) -> None:
    """Keep these and no others."""
    kind, name = arn.split(":")[5:7]
    registry = context.registry
    if kind == "function":
        if tags:
            registry.put_setting(_KIND, name, tags)
        else:
            registry.remove_setting(_KIND, name)
    elif tags:
        registry.put_object(_KIND, arn, tags)
    else:
        registry.remove_object(_KIND, arn)
