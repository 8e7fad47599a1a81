"""``invoke``: run a function once, deployed first when its source has changed."""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from lambdash.daemon.control import EventStream, Verb
from lambdash.daemon.services import Services, text_of
from lambdash.emulator.deploy import DeployOptions
from lambdash.emulator.emulator import Emulator
from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.errors import CallerError
from lambdash.model import PlatformFailed, Throttled, Timings, function_error
from lambdash.model.arn import LATEST, parse_reference
from lambdash.model.timings import summary_ms


def verbs(services: Services) -> Mapping[str, Verb]:
    """The verbs of this module."""
    return {"invoke": partial(_invoke, services)}


async def _invoke(services: Services, body: dict[str, Any], stream: EventStream) -> dict[str, Any]:
    timings = Timings(received=time.monotonic())
    name, qualifier = _reference(services, body)
    deploying = DeployOptions(pull=services.pull_policy(body), initialise=False)
    if qualifier is None:
        timings.resolved, built = await services.up_to_date(name, deploying, stream)
        if built is not None:
            timings.packaged, timings.image_ready = built.packaged_at, built.prepared_at
    if body.get("type") == "dry-run":
        return {"outcome": "succeeded", "dry_run": True, "function": name, "payload_base64": ""}
    payload = _payload(body)
    if body.get("type") == "event":
        request_id = await services.emulator.accept(name, qualifier, payload)
        return {"outcome": "succeeded", "request_id": request_id, "payload_base64": ""}
    options = InvocationOptions(
        request_id=services.emulator.new_request_id(),
        tail=bool(body.get("tail")),
        cold=bool(body.get("cold")),
        timings=timings,
        qualifier=qualifier,
        client_context=_json_object(body, "client_context"),
        cognito_identity=_json_object(body, "cognito_identity"),
    )
    return _document(await _run(services.emulator, name, payload, options))


def _json_object(body: dict[str, Any], member: str) -> str | None:
    """A member that is the JSON of an object, or is not there. Raises ``CallerError``."""
    text = body.get(member)
    if text is None:
        return None
    try:
        document = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        option = f"--{member.replace('_', '-')}"
        raise CallerError("context-invalid", f"{option} is not a JSON object")
    return str(text)


def _payload(body: dict[str, Any]) -> bytes:
    encoded = body.get("payload_base64") or "e30="
    try:
        return base64.b64decode(encoded)
    except (TypeError, ValueError) as error:
        raise CallerError("request-invalid", f"`payload_base64` is no base64: {error}") from error


def _reference(services: Services, body: dict[str, Any]) -> tuple[str, str | None]:
    """Name and qualifier; the qualifier is None for ``$LATEST``."""
    asked = text_of(body, "function")
    reference = parse_reference(asked)
    if reference is None:
        raise CallerError("function-not-found", f"`{asked}` is not a function's name or ARN")
    qualifier = body.get("qualifier") or reference.qualifier
    if qualifier in (None, LATEST):
        return reference.name, None
    if services.emulator.registry.target(reference.name, qualifier) is None:
        raise CallerError(
            "qualifier-not-found",
            f"`{reference.name}` has no version or alias `{qualifier}`",
            "the API's PublishVersion and CreateAlias make them",
        )
    return reference.name, qualifier


async def _run(
    emulator: Emulator, name: str, payload: bytes, options: InvocationOptions
) -> InvocationResult:
    done: asyncio.Future[InvocationResult] = asyncio.get_running_loop().create_future()
    emulator.invoke(name, payload, options, partial(_settle, done))
    try:
        return await done
    except asyncio.CancelledError:
        emulator.caller_gone(options.request_id)
        raise


def _settle(done: "asyncio.Future[InvocationResult]", result: InvocationResult) -> None:
    if not done.done():
        done.set_result(result)


def _document(result: InvocationResult) -> dict[str, Any]:
    outcome = result.outcome
    payload, error = b"", None
    match outcome:
        case Throttled(reason):
            message = f"Rate Exceeded. ({reason})"
            error = {"code": "throttled", "message": message, "hint": ""}
        case PlatformFailed(code, message, hint):
            error = {"code": code, "message": message, "hint": hint}
        case _:
            payload = outcome.payload
    tail = result.log_tail
    return {
        "payload_base64": base64.b64encode(payload).decode(),
        "outcome": outcome.kind,
        "start": result.start,
        "timings_ms": summary_ms(result.timings),
        "request_id": result.request_id,
        "function_error": function_error(outcome),
        "log_tail": None if tail is None else tail.decode("utf-8", "replace"),
        "environment": result.environment_id,
        "sandbox": result.sandbox_id,
        "error": error,
    }
