"""Between AWS's document of a function and the typed configuration that runs it."""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lambdash import limits
from lambdash.emulator.registry.records import Document, VersionRecord
from lambdash.emulator.variables import Place
from lambdash.model import FunctionConfiguration, ImageConfig, ImagePackage, ZipPackage
from lambdash.model.arn import LATEST
from lambdash.model.function import LoggingConfig
from lambdash.storage.functions import DeployedFunction

# What only the manifest says, and the API neither sets nor changes
_MANIFEST_ONLY = ("base_image", "network", "extra_hosts", "cpu_proportional", "freeze")


def new_revision_id() -> str:
    """AWS's ``RevisionId``: another one with each change."""
    return str(uuid.uuid4())


def timestamp(now: datetime) -> str:
    """AWS's ``LastModified``: ``2026-01-31T12:00:00.000+0000``."""
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}+0000"


def settled(document: Document) -> dict[str, Any]:
    """The document of a function that is there: Active, its last update Successful."""
    kept = {key: value for key, value in document.items() if not key.startswith("StateReason")}
    for name in ("LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        kept.pop(name, None)
    return {
        **kept,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "RevisionId": new_revision_id(),
    }


def configuration_of(
    name: str, version: str, document: Document, base: FunctionConfiguration | None = None
) -> FunctionConfiguration:
    """What an environment is made with; of ``base`` what no document says is kept."""
    kept = {} if base is None else {field: getattr(base, field) for field in _MANIFEST_ONLY}
    return FunctionConfiguration(
        function_name=name,
        version=version,
        runtime=document.get("Runtime"),
        handler=document.get("Handler"),
        architecture=document.get("Architectures", ["x86_64"])[0],
        memory_size_mb=document.get("MemorySize", limits.MEMORY_SIZE_DEFAULT_MB),
        timeout_s=document.get("Timeout", limits.TIMEOUT_DEFAULT_S),
        ephemeral_storage_mb=document.get("EphemeralStorage", {}).get(
            "Size", limits.EPHEMERAL_STORAGE_DEFAULT_MB
        ),
        environment=tuple(sorted(document.get("Environment", {}).get("Variables", {}).items())),
        image_config=_image_config(document.get("ImageConfig")),
        description=document.get("Description", ""),
        logging=_logging(name, document.get("LoggingConfig", {})),
        **kept,
    )


def manifest_record(
    deployed: DeployedFunction, old: VersionRecord | None, place: Place, now: datetime
) -> VersionRecord:
    """``$LATEST`` as the manifest has it; what only the API can set is kept from ``old``."""
    configuration = deployed.function.configuration
    name = configuration.function_name
    document = defaults(name, place, configuration.runtime, configuration.architecture)
    if old is not None:
        document |= old.document
    if old is None or old.deployed is None or old.deployed.package != deployed.package:
        document.pop("CodeSha256", None)
        document.pop("CodeSize", None)
    document |= _described(configuration)
    if not configuration.environment:
        document.pop("Environment", None)
    dead_letter = deployed.function.connections.dead_letter
    if dead_letter is not None:
        document["DeadLetterConfig"] = {"TargetArn": dead_letter}
    elif old is not None and _had_dead_letter(old):
        document.pop("DeadLetterConfig", None)
    if isinstance(deployed.package, ImagePackage):
        document |= {"PackageType": "Image", "CodeSize": 0}
        document["CodeSha256"] = deployed.package.digest.removeprefix("sha256:")
        document.pop("RuntimeVersionConfig", None)
    document["LastModified"] = timestamp(now)
    return VersionRecord(name, LATEST, settled(document), deployed)


def _had_dead_letter(old: VersionRecord) -> bool:
    """Whether the manifest set it before, and so may take it away."""
    return old.deployed is not None and old.deployed.function.connections.dead_letter is not None


def defaults(name: str, place: Place, runtime: str | None, architecture: str) -> dict[str, Any]:
    """What AWS reports of a function that was made with nothing but the required members."""
    document: dict[str, Any] = {
        "Role": f"arn:aws:iam::{place.account_id}:role/lambdash",
        "Description": "",
        "Timeout": limits.TIMEOUT_DEFAULT_S,
        "MemorySize": limits.MEMORY_SIZE_DEFAULT_MB,
        "TracingConfig": {"Mode": "PassThrough"},
        "PackageType": "Zip",
        "Architectures": [architecture],
        "EphemeralStorage": {"Size": limits.EPHEMERAL_STORAGE_DEFAULT_MB},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"},
    }
    if runtime is not None:
        document["RuntimeVersionConfig"] = runtime_version(place, runtime, architecture)
    return document


def runtime_version(place: Place, runtime: str, architecture: str) -> dict[str, str]:
    """AWS's ``RuntimeVersionConfig``: an ARN of the same shape, one for each runtime."""
    digest = hashlib.sha256(f"{runtime} {architecture}".encode()).hexdigest()
    return {"RuntimeVersionArn": f"arn:aws:lambda:{place.region}::runtime:{digest}"}


def code_size(deployed: DeployedFunction) -> int:
    """Bytes of the package as it is stored, where no archive tells its own."""
    package = deployed.package
    return package.size_bytes if isinstance(package, ZipPackage) else 0


def _described(configuration: FunctionConfiguration) -> dict[str, Any]:
    """The members that a manifest says, defaults included."""
    document: dict[str, Any] = {
        "Description": configuration.description,
        "Timeout": configuration.timeout_s,
        "MemorySize": configuration.memory_size_mb,
        "Architectures": [configuration.architecture],
        "EphemeralStorage": {"Size": configuration.ephemeral_storage_mb},
        "PackageType": "Zip",
    }
    document["LoggingConfig"] = _logging_document(configuration)
    if configuration.runtime is not None:
        document |= {"Runtime": configuration.runtime, "Handler": configuration.handler}
    if configuration.environment:
        document["Environment"] = {"Variables": dict(configuration.environment)}
    image = configuration.image_config
    if image is not None:
        document["ImageConfig"] = {
            name: value
            for name, value in (
                ("EntryPoint", _listed(image.entry_point)),
                ("Command", _listed(image.command)),
                ("WorkingDirectory", image.working_directory),
            )
            if value is not None
        }
    return document


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _logging(name: str, document: Mapping[str, Any]) -> LoggingConfig:
    usual = LoggingConfig()
    group = document.get("LogGroup")
    return LoggingConfig(
        log_format=document.get("LogFormat", usual.log_format),
        application_log_level=document.get("ApplicationLogLevel", usual.application_log_level),
        system_log_level=document.get("SystemLogLevel", usual.system_log_level),
        group=None if group == _log_group(name) else group,
    )


def _logging_document(configuration: FunctionConfiguration) -> dict[str, Any]:
    """Levels are reported for the JSON format only."""
    logging = configuration.logging
    group = logging.group or _log_group(configuration.function_name)
    document = {"LogFormat": logging.log_format, "LogGroup": group}
    if logging.log_format == "JSON":
        document["ApplicationLogLevel"] = logging.application_log_level
        document["SystemLogLevel"] = logging.system_log_level
    return document


def _log_group(name: str) -> str:
    return f"/aws/lambda/{name}"


def _image_config(document: Mapping[str, Any] | None) -> ImageConfig | None:
    if not document:
        return None
    entry_point, command = document.get("EntryPoint"), document.get("Command")
    return ImageConfig(
        entry_point=tuple(entry_point) if entry_point else None,
        command=tuple(command) if command else None,
        working_directory=document.get("WorkingDirectory"),
    )
