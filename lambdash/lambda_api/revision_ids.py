"""``RevisionId``: one of a version or alias, another one after each change, what else changes it.

AWS counts its resource policy and its tags among what a function is: the policy's ``RevisionId`` is
that of the version or alias it belongs to.
https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
"""

from dataclasses import replace

from lambdash.emulator.lifecycle import is_pending, is_updating
from lambdash.emulator.registry.documents import new_revision_id
from lambdash.lambda_api.errors import ApiError
from lambdash.lambda_api.operation import Context


def revision_id(context: Context, name: str, qualifier: str) -> str:
    """Of the version or alias, which must be there."""
    entry = context.registry.functions[name]
    alias = entry.aliases.get(qualifier)
    document = entry.versions[qualifier].document if alias is None else alias
    return str(document["RevisionId"])


def changed(context: Context, name: str, qualifier: str) -> None:
    """Give the version or alias, which must be there, a new ``RevisionId``.

    A version that is on its way to another state gets one there.
    """
    registry = context.registry
    entry = registry.functions[name]
    alias = entry.aliases.get(qualifier)
    if alias is not None:
        registry.put_alias(name, qualifier, {**alias, "RevisionId": new_revision_id()})
        return
    record = entry.versions[qualifier]
    if not (is_pending(record.document) or is_updating(record.document)):
        document = {**record.document, "RevisionId": new_revision_id()}
        registry.put(replace(record, document=document))


def precondition_failed(operation: str) -> ApiError:
    """412: the caller changes what somebody else has changed since."""
    return ApiError(
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. "
        f"Call the {operation} API to retrieve the latest Revision Id",
    )
