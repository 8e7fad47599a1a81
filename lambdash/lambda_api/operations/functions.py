"""CreateFunction, GetFunction, GetFunctionConfiguration, ListFunctions, DeleteFunction."""

from typing import Any

from lambdash import limits
from lambdash.emulator.registry import Origin, VersionRecord
from lambdash.emulator.registry.documents import (
    configuration_of,
    defaults,
    new_revision_id,
    timestamp,
)
from lambdash.lambda_api.code_digest import with_digest
from lambdash.lambda_api.code_signing import put_config, require_config
from lambdash.lambda_api.errors import conflict, invalid
from lambdash.lambda_api.function_checks import check_configuration, check_package, document_of
from lambdash.lambda_api.function_code import Code, code_location, code_of
from lambdash.lambda_api.function_layers import AttachedLayers, attached_layers
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.operations.concurrency import reserved_concurrency
from lambdash.lambda_api.operations.versions import published
from lambdash.lambda_api.pages import page
from lambdash.lambda_api.presentation import shown, without_state
from lambdash.lambda_api.references import (
    arn_of,
    function_not_found,
    function_of,
    new_name,
    reference,
    version_of,
)
from lambdash.model import Function
from lambdash.model.arn import LATEST
from lambdash.storage.functions import DeployedFunction

STORED = {
    "DeadLetterConfig": "SNS topics are not delivered to yet; queues are",
    "FileSystemConfigs": "nothing is mounted",
    "KMSKeyArn": "nothing is encrypted",
    "Role": "nothing is assumed",
    "TracingConfig": "nothing is traced",
    "SnapStart": "versions initialise as usual, no snapshot is taken",
    "VpcConfig": "`network` of the manifest is what joins one",
}
_SIGNING = {"CodeSigningConfigArn": "signatures are not verified"}
REFUSED = {
    "AcceleratorConfig": "accelerators",
    "CapacityProviderConfig": "managed instances",
    "DurableConfig": "durable functions",
    "PublishTo": "managed instances",
    "RuntimeConfig": "custom runtimes by ARN",
    "TenancyConfig": "tenant isolation",
}


@operation("CreateFunction", stored={**STORED, **_SIGNING}, refused=REFUSED)
async def create_function(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html."""
    name = new_name(context, parameters)
    parameters["FunctionName"] = name
    check_package(parameters)
    check_configuration(parameters)
    if name in context.registry.functions:
        raise conflict(f"Function already exist: {name}")
    signing = parameters.get("CodeSigningConfigArn")
    if signing:
        require_config(context, signing)
    layers = await attached_layers(context, parameters.get("Layers", ()))
    if len(parameters.get("Tags", ())) > limits.TAGS_PER_RESOURCE_MAX:
        raise invalid("Number of tags exceeds resource tag limit.")
    code = await code_of(context, name, parameters["Code"])
    if name in context.registry.functions:
        raise conflict(f"Function already exist: {name}")
    record = _new_record(context, parameters, code, layers)
    context.emulator.lifecycle.begin(record)
    if signing:
        put_config(context, name, signing)
    if parameters.get("Tags"):
        context.registry.put_setting("tags", name, parameters["Tags"])
    if parameters.get("Publish"):
        version = published(context, record).version
        return {**shown(context, record), "Version": version}
    return shown(context, record)


def _new_record(
    context: Context, parameters: Parameters, code: Code, layers: AttachedLayers
) -> VersionRecord:
    name = parameters["FunctionName"]
    architecture = parameters.get("Architectures", ["x86_64"])[0]
    document: dict[str, Any] = {
        **defaults(name, context.place, parameters.get("Runtime"), architecture),
        **document_of(parameters),
        **code.document,
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "LastModified": timestamp(context.clock.wall()),
        "RevisionId": new_revision_id(),
    }
    function = Function(configuration_of(name, LATEST, document), code.source)
    deployed = DeployedFunction(function, code.package, code.fingerprint, origin=Origin.API)
    return VersionRecord(name, LATEST, layers.document(document), layers.deployed(deployed))


@operation("GetFunction")
async def get_function(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html."""
    asked = reference(context, parameters)
    record = await with_digest(context, version_of(context, asked))
    result: dict[str, Any] = {
        "Configuration": shown(context, record, asked.qualifier),
        "Code": code_location(context, record),
    }
    tags = context.registry.setting("tags", asked.name)
    if tags:
        result["Tags"] = tags
    concurrency = reserved_concurrency(function_of(context, asked).latest)
    if concurrency:
        result["Concurrency"] = concurrency
    return result


@operation("GetFunctionConfiguration")
async def get_function_configuration(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html."""
    asked = reference(context, parameters)
    record = await with_digest(context, version_of(context, asked))
    return shown(context, record, asked.qualifier)


@operation("ListFunctions", stored={"MasterRegion": "no function is replicated"})
async def list_functions(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html."""
    entries = [context.registry.functions[name] for name in sorted(context.registry.functions)]
    everything = parameters.get("FunctionVersion") == "ALL"
    records = [
        record
        for entry in entries
        for record in (entry.latest, *(entry.published() if everything else ()))
    ]

    def arn(record: VersionRecord) -> str:
        return arn_of(context, record.name, record.version if everything else None)

    found, marker = page(records, parameters, arn, limits.FUNCTIONS_PAGE_MAX)
    known = [await with_digest(context, record) for record in found]
    listed = [shown(context, one, one.version if everything else None) for one in known]
    return {"Functions": [without_state(one) for one in listed], "NextMarker": marker}


@operation("DeleteFunction")
async def delete_function(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html."""
    asked = reference(context, parameters)
    entry = function_of(context, asked)
    if asked.qualifier is None:
        await context.emulator.lifecycle.remove(asked.name)
        return {"StatusCode": 204}
    if asked.qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if asked.qualifier not in entry.versions:
        raise function_not_found(context, asked)
    users = [name for name, one in entry.aliases.items() if asked.qualifier in _versions(one)]
    if users:
        arns = ", ".join(arn_of(context, asked.name, name) for name in users)
        raise conflict(
            f"Unable to delete version because the following aliases reference it: [{arns}]"
        )
    context.emulator.lifecycle.remove_version(asked.name, asked.qualifier)
    return {"StatusCode": 204}


def _versions(alias: Any) -> set[str]:
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    return {alias["FunctionVersion"], *weights}
