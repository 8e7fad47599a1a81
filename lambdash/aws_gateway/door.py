"""Requests for a service in, answers out; either protocol, told apart by the target header."""

import asyncio
import json
import logging
import uuid
from typing import Any

from botocore.model import OperationModel

from lambdash.aws_gateway.errors import AwsError, not_supported
from lambdash.aws_gateway.protocol.constraints import problems
from lambdash.aws_gateway.protocol.forms import form, from_form
from lambdash.aws_gateway.protocol.json_bodies import from_json, to_json
from lambdash.aws_gateway.protocol.models import operation_model, service_model
from lambdash.aws_gateway.protocol.xml_answers import error_xml, to_xml
from lambdash.aws_gateway.service import Call, Service
from lambdash.clock import Clock
from lambdash.emulator.emulator import Emulator
from lambdash.errors import LambdashError
from lambdash.http.server import Request, Responder
from lambdash.tasks import Tasks

_log = logging.getLogger(__name__)
_TARGET = b"x-amz-target"


class ServiceDoor:
    """Answers on the loop, each request as its own task."""

    def __init__(self, service: Service, emulator: Emulator, clock: Clock) -> None:
        self._service = service
        self._emulator = emulator
        self._clock = clock
        self._tasks = Tasks()
        self._scope = f"/{service.scope}/aws4_request".encode()
        self._prefix = None if service.target_prefix is None else service.target_prefix.encode()

    def matches(self, request: Request) -> bool:
        """Whether a request is the service's: by its target, else by its signature's scope."""
        target = request.header(_TARGET)
        if target is not None:
            return self._prefix is not None and target.startswith(self._prefix)
        return self._scope in (request.header(b"authorization") or b"")

    def handle(self, request: Request, responder: Responder) -> None:
        """Answer one request, soon."""
        self._tasks.spawn(self._answer(request, responder), f"{self._service.name} request")

    async def close(self) -> None:
        """Cut who waits."""
        await self._tasks.cancel()

    async def _answer(self, request: Request, responder: Responder) -> None:
        request_id = str(uuid.uuid4())
        in_json = request.header(_TARGET) is not None
        # read from the disk at the first request
        await asyncio.to_thread(service_model, self._service.name)
        try:
            operation, parameters = self._parsed(request)
            result = await self._perform(operation, parameters)
        except AwsError as error:
            self._refuse(responder, request_id, error, in_json=in_json)
            return
        except Exception:
            failure = AwsError("InternalFailure", "lambdash failed; its log says why.", 500)
            self._refuse(responder, request_id, failure, in_json=in_json)
            raise
        if in_json:
            body = to_json(result)
        else:
            body = to_xml(operation, result, request_id, self._service.namespace)
        responder.send(200, self._headers(request_id, in_json=in_json), body)

    def _parsed(self, request: Request) -> tuple[OperationModel, dict[str, Any]]:
        target = request.header(_TARGET)
        if target is not None:
            name = target.decode("latin-1").removeprefix(self._service.target_prefix or "")
            operation = operation_model(self._service.name, name)
            return operation, from_json(operation, request.body)
        if request.header(b"smithy-protocol") is not None:
            message = f"lambdash speaks {self._service.title} in JSON and forms, not in CBOR yet."
            raise AwsError("NotImplementedException", message, 501)
        fields = form(request.body, request.query)
        name = fields.get("Action", "")
        if not name:
            raise AwsError("MissingAction", "The request must contain the parameter Action.")
        operation = operation_model(self._service.name, name)
        return operation, from_form(operation, fields)

    async def _perform(self, model: OperationModel, parameters: dict[str, Any]) -> dict[str, Any]:
        """Run an operation; what it changed is on the disk when it is answered."""
        service = self._service
        operation = service.operations.get(model.name)
        if operation is None:
            raise not_supported(service.title, model.name, service.missing.get(model.name, ""))
        found = problems(model, parameters)
        if found:
            noun = "error" if len(found) == 1 else "errors"
            message = f"{len(found)} validation {noun} detected: {'; '.join(found)}"
            raise AwsError(service.invalid, message)
        try:
            result = await operation(Call(self._emulator, self._clock, parameters))
            registry = self._emulator.registry
            if not registry.all_written:
                await registry.written()
        except AwsError:
            raise
        except LambdashError as error:
            _log.warning("an operation of %s failed: %s", service.name, model.name, exc_info=error)
            raise AwsError("InternalFailure", f"{error.message} ({error.code})", 500) from error
        return result

    def _refuse(
        self, responder: Responder, request_id: str, error: AwsError, *, in_json: bool
    ) -> None:
        fault = "Sender" if error.status < 500 else "Receiver"
        headers = self._headers(request_id, in_json=in_json)
        if not in_json:
            told = (error.code, error.message)
            body = error_xml(told, fault, request_id, self._service.namespace)
            return responder.send(error.status, headers, body)
        if "awsQueryCompatible" in service_model(self._service.name).metadata:
            headers.append((b"x-amzn-query-error", f"{error.code};{fault}".encode()))
        document = {"__type": self._shape_of(error.code), "message": error.message}
        return responder.send(error.status, headers, json.dumps(document).encode())

    def _shape_of(self, code: str) -> str:
        """The JSON protocol names an error by its shape; some codes of forms are others."""
        shapes = service_model(self._service.name).error_shapes
        return next((shape.name for shape in shapes if shape.error_code == code), code)

    def _headers(self, request_id: str, *, in_json: bool) -> list[tuple[bytes, bytes]]:
        version = service_model(self._service.name).metadata.get("jsonVersion", "1.0")
        kind = f"application/x-amz-json-{version}".encode() if in_json else b"text/xml"
        return [(b"content-type", kind), (b"x-amzn-requestid", request_id.encode())]
