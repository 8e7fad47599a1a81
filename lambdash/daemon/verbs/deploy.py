"""``deploy``: make the daemon's functions what the manifest says, and print the plan."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from lambdash.daemon.control import EventStream, Verb
from lambdash.daemon.services import Services
from lambdash.emulator.deploy import Built, DeployOptions
from lambdash.emulator.plan import Change
from lambdash.errors import LambdashError
from lambdash.model import Function, ZipPackage
from lambdash.storage.functions import Origin

_USED_LATELY_S = 3_600.0


def verbs(services: Services) -> Mapping[str, Verb]:
    """The verbs of this module."""
    return {"deploy": partial(_deploy, services)}


async def _deploy(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    named = [str(name) for name in body.get("functions") or []]
    wanted = _wanted(services, named)
    changes = await _plan(services, wanted, complete=not named)
    result: dict[str, Any] = {"plan": [_change(change) for change in changes], "functions": []}
    if body.get("dry_run"):
        return result
    await services.doors.make_resources()
    built = await _apply(services, changes, wanted, body, stream)
    await services.doors.refresh()
    result["functions"] = [_function(one) for one in built]
    result["endpoint"] = services.endpoint
    result["urls"] = services.doors.urls(services.endpoint)
    return result


def _wanted(services: Services, named: list[str]) -> dict[str, Function]:
    if named:
        return {name: services.catalog.function(name) for name in named}
    return dict(services.catalog.manifest().functions)


async def _plan(services: Services, wanted: dict[str, Function], *, complete: bool) -> list[Change]:
    deployer = services.emulator.deployer
    changes = [await deployer.change(function) for function in wanted.values()]
    if complete:
        others = services.emulator.functions.items()
        changes += [_unnamed(name, one.origin) for name, one in others if name not in wanted]
    return changes


def _unnamed(name: str, origin: Origin) -> Change:
    """A function that the manifest does not name: what the API made is left alone."""
    if origin is Origin.API:
        return Change(name, "unchanged", ("made through the API",))
    return Change(name, "delete", ("not in the manifest",))


async def _apply(
    services: Services,
    changes: list[Change],
    wanted: dict[str, Function],
    body: dict[str, Any],
    stream: EventStream,
) -> list[Built]:
    """Build in parallel; every function that can be deployed is, then the first error is raised."""
    deployer = services.emulator.deployer
    named = bool(body.get("functions"))
    work = []
    for change in changes:
        name = change.function
        if change.action == "delete":
            await deployer.remove(name)
        elif name not in wanted:
            continue
        elif change.action != "unchanged" or not deployer.is_stored(name) or _pulls(body):
            lately = services.emulator.used_lately(name, _USED_LATELY_S)
            options = DeployOptions(pull=services.pull_policy(body), initialise=named or lately)
            work.append(deployer.deploy(wanted[name], options, stream.progress))
    results = await asyncio.gather(*work, return_exceptions=True)
    failed = [result for result in results if isinstance(result, BaseException)]
    for error in failed[1:]:
        if isinstance(error, LambdashError):
            stream.notice(f"error: {error.message} ({error.code})")
    if failed:
        raise failed[0]
    return [result for result in results if isinstance(result, Built)]


def _pulls(body: dict[str, Any]) -> bool:
    return body.get("pull") == "always"


def _change(change: Change) -> dict[str, Any]:
    return {"function": change.function, "action": change.action, "why": list(change.why)}


def _function(built: Built) -> dict[str, Any]:
    package = built.deployed.package
    return {
        "function": built.deployed.function.name,
        "revision": built.deployed.revision.id,
        "package": package.digest,
        "size_bytes": package.size_bytes if isinstance(package, ZipPackage) else None,
        "build_ms": round(built.build_ms, 1),
    }
