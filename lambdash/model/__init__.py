"""Frozen nouns shared by every layer: functions, packages, revisions, invocations, outcomes."""

from lambdash.model.function import (
    ArchiveSource,
    DockerfileSource,
    FolderSource,
    Function,
    FunctionConfiguration,
    FunctionSource,
    ImageConfig,
    ImageSource,
    LayerSource,
    LoggingConfig,
    Scaling,
)
from lambdash.model.invocation import Invocation, Target
from lambdash.model.outcome import (
    Crashed,
    FunctionFailed,
    InitFailed,
    Outcome,
    PlatformFailed,
    Succeeded,
    Throttled,
    TimedOut,
    error_document,
    function_error,
)
from lambdash.model.package import ImagePackage, Package, ZipPackage
from lambdash.model.revision import Revision
from lambdash.model.timings import Timings

__all__ = [
    "ArchiveSource",
    "Crashed",
    "DockerfileSource",
    "FolderSource",
    "Function",
    "FunctionConfiguration",
    "FunctionFailed",
    "FunctionSource",
    "ImageConfig",
    "ImagePackage",
    "ImageSource",
    "InitFailed",
    "Invocation",
    "LayerSource",
    "LoggingConfig",
    "Outcome",
    "Package",
    "PlatformFailed",
    "Revision",
    "Scaling",
    "Succeeded",
    "Target",
    "Throttled",
    "TimedOut",
    "Timings",
    "ZipPackage",
    "error_document",
    "function_error",
]
