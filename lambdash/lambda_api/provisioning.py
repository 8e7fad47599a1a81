"""What is provisioned for which version: settings of versions and aliases, told to the pool."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambdash.emulator.registry import FunctionEntry
from lambdash.lambda_api.operation import Context

SETTING = "provisioned"
_REQUESTED = "RequestedProvisionedConcurrentExecutions"


def provisioned_total(context: Context, entry: FunctionEntry) -> int:
    """The environments that all versions of a function ask for together."""
    settings = context.registry.settings(SETTING, entry.name).values()
    return sum(document[_REQUESTED] for document in settings)


def version_behind(entry: FunctionEntry, qualifier: str) -> str:
    """The version that a qualifier's configuration provisions: an alias's own one."""
    alias = entry.aliases.get(qualifier)
    return qualifier if alias is None else str(alias["FunctionVersion"])


def provision(context: Context, entry: FunctionEntry) -> None:
    """Tell the pool of every version whose number of provisioned environments is another now."""
    wanted: dict[str, int] = {}
    for qualifier, document in _settings(context, entry).items():
        version = version_behind(entry, qualifier)
        wanted[version] = wanted.get(version, 0) + document[_REQUESTED]
    for record in entry.published():
        assert record.deployed is not None
        scaling = record.deployed.function.scaling
        count = wanted.get(record.version, 0)
        if scaling.provisioned_concurrent_executions != count:
            changed = replace(scaling, provisioned_concurrent_executions=count)
            context.emulator.lifecycle.rescale(record, changed)


def _settings(context: Context, entry: FunctionEntry) -> Mapping[str, Any]:
    return context.registry.settings(SETTING, entry.name)
