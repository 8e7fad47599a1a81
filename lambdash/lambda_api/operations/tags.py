"""TagResource, UntagResource, ListTags: of functions, event source mappings, code signing."""

from lambdash import limits
from lambdash.lambda_api.errors import ApiError, invalid, not_found
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.references import Reference, function_not_found, reference
from lambdash.lambda_api.revision_ids import changed
from lambdash.lambda_api.tagging import put_tags, tags_of
from lambdash.model.arn import LATEST

# What the resource after the account names, and AWS's name for it
_OBJECTS = {
    "event-source-mapping": "Event source mapping",
    "code-signing-config": "Code signing configuration",
    "capacity-provider": "Capacity provider",
}


@operation("TagResource")
def tag_resource(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_TagResource.html."""
    if not parameters["Tags"]:
        raise invalid("An error occurred and the request cannot be processed.")
    arn = _existing(context, parameters)
    tags = {**tags_of(context, arn), **parameters["Tags"]}
    if len(tags) > limits.TAGS_PER_RESOURCE_MAX:
        raise invalid("Number of tags exceeds resource tag limit.")
    _keep(context, arn, tags)
    return {}


@operation("UntagResource")
def untag_resource(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UntagResource.html."""
    arn = _existing(context, parameters)
    gone = frozenset(parameters["TagKeys"])
    kept = {key: value for key, value in tags_of(context, arn).items() if key not in gone}
    _keep(context, arn, kept)
    return {}


@operation("ListTags")
def list_tags(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListTags.html."""
    return {"Tags": tags_of(context, _existing(context, parameters))}


def _existing(context: Context, parameters: Parameters) -> str:
    """The ARN of what is there. Raises ``ResourceNotFoundException``."""
    arn = str(parameters["Resource"])
    kind = arn.split(":")[5]
    if kind == "function":
        asked = _function(context, arn)
        if asked.name not in context.registry.functions:
            raise function_not_found(context, asked)
        return arn
    if context.registry.object(kind, arn.rsplit(":", 1)[1]) is None:
        raise _missing(kind, arn)
    return arn


def _missing(kind: str, arn: str) -> ApiError:
    return not_found(f"{_OBJECTS.get(kind, 'Resource')} not found: {arn}")


def _function(context: Context, arn: str) -> Reference:
    asked = reference(context, {"FunctionName": arn})
    if asked.qualifier is not None:
        raise invalid(
            "Tags on function aliases and versions are not supported. "
            "Please specify a function ARN."
        )
    return asked


def _keep(context: Context, arn: str, tags: dict[str, str]) -> None:
    put_tags(context, arn, tags)
    kind, name = arn.split(":")[5:7]
    if kind == "function":
        changed(context, name, LATEST)
