"""One request of the control plane: route, parse, validate, perform, answer."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, cast

from lambdash import limits
from lambdash.clock import Clock
from lambdash.emulator.emulator import Emulator
from lambdash.errors import CallerError, LambdashError
from lambdash.http.server import Request, Responder
from lambdash.lambda_api.answers import JSON_TYPE
from lambdash.lambda_api.errors import ApiError, invalid, wire
from lambdash.lambda_api.operation import Context, Operation, operations
from lambdash.lambda_api.parsing import Parameters, parse
from lambdash.lambda_api.serialising import Wire, serialise
from lambdash.lambda_api.service_model import match, operation_model
from lambdash.lambda_api.unsupported import unsupported
from lambdash.lambda_api.validation import validate
from lambdash.tasks import Tasks

_log = logging.getLogger(__name__)


class Dispatcher:
    """Answers every operation but a plain Invoke. Its work is cancelled with ``tasks``."""

    def __init__(self, emulator: Emulator, clock: Clock, tasks: Tasks) -> None:
        self._emulator = emulator
        self._clock = clock
        self._tasks = tasks
        self._is_loaded = False

    def handle(self, request: Request, responder: Responder) -> None:
        """Answer when the operation has ended and what it changed is on disk."""
        request_id = self._emulator.new_request_id()
        work = self._answer(request, responder, request_id)
        self._tasks.spawn(work, f"{request.method} {request.path[:80]}")

    async def _answer(self, request: Request, responder: Responder, request_id: str) -> None:
        try:
            if not self._is_loaded:
                await asyncio.to_thread(_load)
                self._is_loaded = True
            answer = await self._perform(request, request_id)
        except ApiError as error:
            answer = refusal(error)
        except LambdashError as error:
            answer = refusal(_translated(error))
        except Exception as error:
            _log.exception("an operation failed: %s %s", request.method, request.path)
            message = f"{type(error).__name__} (internal-error)"
            answer = refusal(ApiError("ServiceException", message, fault="Service"))
        headers = [*answer.headers, (b"x-amzn-requestid", request_id.encode())]
        if answer.body:
            headers.append(JSON_TYPE)
        responder.send(answer.status, headers, answer.body)

    async def _perform(self, request: Request, request_id: str) -> Wire:
        found = match(request.method, request.path, request.query)
        if found is None:
            message = f"No Lambda operation is {request.method} {request.path}."
            raise ApiError("UnknownOperationException", message)
        operation = operations().get(found.operation)
        if operation is None:
            raise unsupported(found.operation)
        model = operation_model(operation.name)
        if len(request.body) < limits.LIFTED_ARCHIVE_MIN_BYTES:
            parameters = parse(model.input_shape, found.labels, request)
        else:
            parameters = await asyncio.to_thread(parse, model.input_shape, found.labels, request)
            request.body = b""  # the archive was taken out of it: not twice in memory
        validate(model.input_shape, parameters)
        _refuse_members(operation, parameters)
        context = Context(self._emulator, self._clock, request_id, _base_url(request))
        result = await self._run(operation, context, parameters)
        return serialise(model, result)

    async def _run(
        self, operation: Operation, context: Context, parameters: Parameters
    ) -> Mapping[str, Any]:
        if operation.is_asynchronous:
            result = await cast(Any, operation.handler(context, parameters))
        else:
            result = operation.handler(context, parameters)
        if not context.registry.all_written:
            await context.registry.written()
        return cast(Mapping[str, Any], result)


def refusal(error: ApiError) -> Wire:
    """How an error goes out, but for the request id."""
    status, members = wire(error)
    body = json.dumps(members, separators=(",", ":")).encode()
    return Wire(status, [(b"x-amzn-errortype", error.name.encode())], body)


def _load() -> None:
    """Everything that is imported and read on first use, off the event loop."""
    operations()
    match("GET", "/", "")


def _refuse_members(operation: Operation, parameters: Parameters) -> None:
    for member in operation.refused:
        if parameters.get(member) not in (None, {}, [], False):
            raise invalid(
                f"{member} of {operation.name} is not supported by this version of lambdash."
            )


def _translated(error: LambdashError) -> ApiError:
    """What the layers below refuse, in the API's family of errors."""
    message = error.sentences
    if isinstance(error, CallerError):
        return invalid(message)
    return ApiError("ServiceException", message, fault="Service")


def _base_url(request: Request) -> str:
    """The endpoint by the name that the caller used: it works where the caller is."""
    host = request.header(b"host") or b"localhost"
    return f"http://{host.decode('latin-1')}"
