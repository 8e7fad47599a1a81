"""Requests for SQS in, answers out; either protocol, told apart by the target header."""

import asyncio
import json
import logging
import re
import uuid
from collections.abc import Mapping
from typing import Any

from lambdash.aws_gateway.sqs import message_operations, operations, wire
from lambdash.aws_gateway.sqs.operations import Call, Operation
from lambdash.errors import CallerError, LambdashError
from lambdash.http.server import Request, Responder
from lambdash.messaging.sqs.errors import SqsError, no_such_queue
from lambdash.messaging.sqs.service import SqsService
from lambdash.tasks import Tasks

_log = logging.getLogger(__name__)
_OPERATIONS: Mapping[str, Operation] = {
    **operations.OPERATIONS,
    **message_operations.OPERATIONS,
}
_TARGET = b"x-amz-target"
_QUEUE_PATH = re.compile(r"/\d{12}/[A-Za-z0-9_-]{1,80}(\.fifo)?/?")


def matches(request: Request) -> bool:
    """Whether a request is one of SQS's: by its target, its signature's scope or a queue's URL."""
    target = request.header(_TARGET)
    if target is not None:
        return target.startswith(wire.TARGET_PREFIX.encode())
    if b"/sqs/aws4_request" in (request.header(b"authorization") or b""):
        return True
    return _QUEUE_PATH.fullmatch(request.path) is not None


class SqsDoor:
    """Answers on the loop, each request as its own task; a caller who hangs up ends its wait."""

    def __init__(self, service: SqsService) -> None:
        self._service = service
        self._tasks = Tasks()

    def handle(self, request: Request, responder: Responder) -> None:
        """Answer one request, now or when a message comes."""
        task = self._tasks.spawn(self._answer(request, responder), "sqs request")
        if responder.is_open:
            responder.on_disconnect = lambda: _cancel(task)

    async def close(self) -> None:
        """Cut who waits."""
        await self._tasks.cancel()

    async def _answer(self, request: Request, responder: Responder) -> None:
        request_id = str(uuid.uuid4())
        in_json = request.header(_TARGET) is not None
        try:
            operation, parameters = _parsed(request)
            call = Call(self._service, parameters, _base_url(request))
            result = await _perform(operation.name, call)
        except SqsError as error:
            _refuse(responder, request_id, error, in_json=in_json)
            return
        except Exception:
            failure = SqsError("InternalFailure", "lambdash failed; its log says why.", 500)
            _refuse(responder, request_id, failure, in_json=in_json)
            raise
        if in_json:
            body = json.dumps(result, separators=(",", ":")).encode() if result else b"{}"
            kind = b"application/x-amz-json-1.0"
        else:
            body, kind = wire.to_xml(operation, result, request_id), b"text/xml"
        responder.send(200, _headers(request_id, kind), body)


def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()


async def _perform(name: str, call: Call) -> dict[str, Any]:
    """Run an operation; what the store refused is told in SQS's words."""
    try:
        return await _OPERATIONS[name](call)
    except SqsError:
        raise
    except CallerError as error:
        if error.code == "queue-not-found":
            raise no_such_queue() from error
        if error.code == "over-limit":
            raise SqsError("OverLimit", error.message, 403) from error
        raise SqsError("InvalidParameterValue", error.message) from error
    except LambdashError as error:
        _log.warning("an SQS operation failed: %s", name, exc_info=error)
        raise SqsError("InternalFailure", f"{error.message} ({error.code})", 500) from error


def _parsed(request: Request) -> tuple[Any, dict[str, Any]]:
    target = request.header(_TARGET)
    if target is not None:
        name = target.decode("latin-1").removeprefix(wire.TARGET_PREFIX)
        operation = wire.operation_model(name)
        return operation, wire.from_json(operation, request.body)
    fields = wire.form(request.body, request.query)
    name = fields.get("Action", "")
    if not name:
        raise SqsError("MissingAction", "The request must contain the parameter Action.")
    operation = wire.operation_model(name)
    parameters = wire.from_form(operation, fields)
    if "QueueUrl" not in parameters and request.path.count("/") > 1:
        parameters["QueueUrl"] = request.path
    return operation, parameters


def _base_url(request: Request) -> str:
    """URLs are told as the caller reaches us, so that they work from host and container alike."""
    host = request.header(b"host") or b"localhost"
    return f"http://{host.decode('latin-1')}"


def _refuse(responder: Responder, request_id: str, error: SqsError, *, in_json: bool) -> None:
    if not in_json:
        body = wire.error_xml(error, request_id)
        responder.send(error.status, _headers(request_id, b"text/xml"), body)
        return
    document = {"__type": f"com.amazonaws.sqs#{error.name}", "message": error.message}
    fault = b"Sender" if error.status < 500 else b"Receiver"
    headers = [
        *_headers(request_id, b"application/x-amz-json-1.0"),
        (b"x-amzn-query-error", error.code.encode() + b";" + fault),
    ]
    responder.send(error.status, headers, json.dumps(document).encode())


def _headers(request_id: str, kind: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", kind), (b"x-amzn-requestid", request_id.encode())]
