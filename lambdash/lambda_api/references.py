"""Which function, version or alias a request means, and AWS's words where there is none."""

from typing import NamedTuple

from lambdash import limits
from lambdash.emulator.registry import FunctionEntry, VersionRecord
from lambdash.emulator.registry.targets import is_version
from lambdash.lambda_api.errors import ApiError, invalid, not_found, validation_failed
from lambdash.lambda_api.operation import Context, Parameters
from lambdash.lambda_api.validation import problem
from lambdash.model.arn import LATEST, FunctionReference, parse_reference

_NAME_TOO_LONG = "Member must have length less than or equal to 64"


class Reference(NamedTuple):
    """``qualifier`` is what was asked for, by parameter or ARN; None when nothing was."""

    name: str
    qualifier: str | None


def reference(context: Context, parameters: Parameters) -> Reference:
    """``FunctionName`` and ``Qualifier`` of a request; nothing is looked up.

    Raises for another region or account, and where the two name different qualifiers.
    """
    text = parameters["FunctionName"]
    found = parse_reference(text) or _too_long(text)
    place = context.place
    if found.region not in (None, place.region):
        raise not_found(
            f"Functions from '{found.region}' are not reachable in this region ('{place.region}')"
        )
    if found.account_id not in (None, place.account_id):
        raise ApiError(
            "AccessDeniedException",
            f"Functions of the account {found.account_id} are not reachable from this one "
            f"({place.account_id})",
        )
    asked = parameters.get("Qualifier")
    if found.qualifier is not None and asked not in (None, found.qualifier):
        raise invalid(
            "The derived qualifier from the function name does not match the specified qualifier."
        )
    return Reference(found.name, asked or found.qualifier)


def new_name(context: Context, parameters: Parameters) -> str:
    """The name of a function that is to be made: it has at most 64 characters."""
    name = reference(context, parameters).name
    if len(name) > limits.FUNCTION_NAME_MAX_CHARS:
        raise invalid(validation_failed(problem(name, "functionName", _NAME_TOO_LONG)).message)
    return name


def _too_long(text: str) -> FunctionReference:
    """A name that the model takes and no function has: over 64 characters, or with a dot."""
    parts = text.rpartition("function:")[2].split(":")
    return FunctionReference(parts[0], parts[1] if len(parts) > 1 else None)


def arn_of(context: Context, name: str, qualifier: str | None = None) -> str:
    """A function's ARN, qualified when a qualifier is given."""
    arn = context.place.function_arn(name)
    return arn if qualifier is None else f"{arn}:{qualifier}"


def function_of(context: Context, asked: Reference) -> FunctionEntry:
    """The function, whatever the qualifier. Raises ``ResourceNotFoundException``."""
    entry = context.registry.functions.get(asked.name)
    if entry is None:
        raise function_not_found(context, asked)
    return entry


def version_of(context: Context, asked: Reference) -> VersionRecord:
    """The version that is meant, through its alias too. Raises ``ResourceNotFoundException``."""
    record = context.registry.version(asked.name, asked.qualifier)
    if record is None:
        raise function_not_found(context, asked)
    return record


def function_not_found(context: Context, asked: Reference) -> ApiError:
    """404 with the ARN as it was asked for."""
    return not_found(f"Function not found: {arn_of(context, asked.name, asked.qualifier)}")


def existing_qualifier(context: Context, asked: Reference) -> str:
    """The qualifier that settings are kept under: ``$LATEST`` by default; it must be there.

    Raises ``ResourceNotFoundException``, whose text tells aliases from versions.
    """
    qualifier = asked.qualifier or LATEST
    entry = context.registry.functions.get(asked.name)
    if not is_version(qualifier) and (entry is None or qualifier not in entry.aliases):
        raise not_found(f"Cannot find alias arn: {arn_of(context, asked.name, qualifier)}")
    if entry is None or (is_version(qualifier) and qualifier not in entry.versions):
        raise function_not_found(context, asked)
    return qualifier
