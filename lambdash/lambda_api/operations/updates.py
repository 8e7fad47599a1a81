"""UpdateFunctionCode and UpdateFunctionConfiguration."""

from dataclasses import replace
from typing import Any

from lambdash.emulator.registry import VersionRecord
from lambdash.emulator.registry.documents import (
    configuration_of,
    new_revision_id,
    runtime_version,
    timestamp,
)
from lambdash.lambda_api.code_digest import with_digest
from lambdash.lambda_api.function_checks import check_configuration, document_of
from lambdash.lambda_api.function_code import code_of
from lambdash.lambda_api.function_layers import attached_layers
from lambdash.lambda_api.operation import Context, Parameters, Result, operation
from lambdash.lambda_api.operations.functions import REFUSED, STORED
from lambdash.lambda_api.operations.versions import published
from lambdash.lambda_api.preconditions import check_changeable, check_revision_id
from lambdash.lambda_api.presentation import shown
from lambdash.lambda_api.references import function_of, reference
from lambdash.storage.functions import DeployedFunction

_CONFIGURATION_REFUSED = {
    name: REFUSED[name] for name in ("CapacityProviderConfig", "DurableConfig")
}


@operation("UpdateFunctionCode", stored={"SourceKMSKeyArn": "nothing is encrypted"})
async def update_function_code(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html."""
    name = _changeable(context, parameters).name
    code = await code_of(context, name, parameters)
    latest = _changeable(context, parameters)
    document = {**latest.document, **code.document}
    if "Architectures" in parameters:
        document["Architectures"] = parameters["Architectures"]
    if parameters.get("DryRun"):
        return shown(context, replace(latest, document=document))
    assert latest.deployed is not None
    function = replace(latest.deployed.function, source=code.source)
    deployed = replace(
        latest.deployed, function=function, package=code.package, fingerprint=code.fingerprint
    )
    record = _changed(context, latest, document, deployed)
    context.emulator.lifecycle.begin(record)
    if parameters.get("Publish"):
        record = published(context, record)
    return shown(context, record)


@operation("UpdateFunctionConfiguration", stored=STORED, refused=_CONFIGURATION_REFUSED)
async def update_function_configuration(context: Context, parameters: Parameters) -> Result:
    """https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html."""
    latest = _changeable(context, parameters)
    check_configuration(parameters)
    layers = None
    if parameters.get("Layers") is not None:
        layers = await attached_layers(context, parameters["Layers"])
        latest = _changeable(context, parameters)
    latest = await with_digest(context, latest)
    deployed = latest.deployed
    assert deployed is not None
    document = {**latest.document, **document_of({**parameters, "FunctionName": latest.name})}
    if layers is not None:
        document, deployed = layers.document(document), layers.deployed(deployed)
    if "Runtime" in parameters:
        architecture = document.get("Architectures", ["x86_64"])[0]
        version = runtime_version(context.place, parameters["Runtime"], architecture)
        document["RuntimeVersionConfig"] = version
    record = _changed(context, latest, document, deployed)
    context.emulator.lifecycle.begin(record)
    return shown(context, record)


def _changeable(context: Context, parameters: Parameters) -> VersionRecord:
    latest = function_of(context, reference(context, parameters)).latest
    check_revision_id(latest.document, parameters)
    check_changeable(context, latest)
    return latest


def _changed(
    context: Context, latest: VersionRecord, document: dict[str, Any], deployed: DeployedFunction
) -> VersionRecord:
    """``$LATEST`` with its update begun."""
    document |= {
        "LastModified": timestamp(context.clock.wall()),
        "LastUpdateStatus": "InProgress",
        "LastUpdateStatusReason": "The function is being created.",
        "LastUpdateStatusReasonCode": "Creating",
        "RevisionId": new_revision_id(),
    }
    function = deployed.function
    configuration = configuration_of(latest.name, latest.version, document, function.configuration)
    changed = replace(deployed, function=replace(function, configuration=configuration))
    return VersionRecord(latest.name, latest.version, document, changed)
