"""Requests for AWS services that are not here: refused by name, in the shape their clients read.

The shapes are those of Smithy's AWS protocols (https://smithy.io/2.0/aws/protocols/index.html) and
of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
"""

import json
import re
import uuid
from typing import NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from lambdash.http.server import Request, Responder

# none that clients try again
_STATUS = 501
_CODE = "NotImplementedException"
# a header's, or a presigned URL's where slashes are escaped
_SCOPE = re.compile(r"Credential=[^&\s]*?(?:/|%2F)([A-Za-z0-9.-]{1,64})(?:/|%2F)aws4_request")
_VERSION = re.compile(r"_\d{8}$")
_ACTION = re.compile(r"[A-Za-z0-9]{1,64}")
_OWN = "lambda"
# what to do instead, where there is something
_HINTS = {
    "cloudformation": " Templates cannot be imported yet: say in lambdash.yaml what they declare, "
    "or create functions with the Lambda API."
}
_XML = frozenset(("s3", "s3-outposts", "s3-object-lambda", "s3express", "route53", "cloudfront"))


class _Answer(NamedTuple):
    body: bytes
    headers: list[tuple[bytes, bytes]]


def matches(request: Request) -> bool:
    """Whether a request is for another service of AWS; asked after those that are here."""
    return _service(request) is not None


def handle(request: Request, responder: Responder) -> None:
    """Say which service it is that is not served."""
    service = _service(request) or ""
    message = (
        f"lambdash does not serve {service} yet. To use one that is elsewhere, give its client an "
        "endpoint of its own (AWS_ENDPOINT_URL_<SERVICE>, or endpoint_url)."
    ) + _HINTS.get(service, "")
    request_id = str(uuid.uuid4())
    answer = _answer(request, message, request_id)
    named = [(b"x-amzn-requestid", request_id.encode()), (b"x-amzn-errortype", _CODE.encode())]
    responder.send(_STATUS, [*named, *answer.headers], answer.body)


def _service(request: Request) -> str | None:
    """Its name, or what of the request stands for it; None for Lambda's and what names nothing."""
    scope = _scope(request)
    if scope is not None:
        return None if scope == _OWN else scope
    target = request.header(b"x-amz-target")
    if target is not None:
        return _VERSION.sub("", target.decode("latin-1").partition(".")[0])[:64]
    action = _action(request)
    return None if action is None else f"the service of the action {action}"


def _scope(request: Request) -> str | None:
    """The service that the signature is for."""
    signed = (request.header(b"authorization") or b"").decode("latin-1")
    found = _SCOPE.search(signed) or _SCOPE.search(request.query)
    return None if found is None else found[1].lower()


def _action(request: Request) -> str | None:
    """Of a form, in its body or in the URL."""
    if request.path != "/":
        return None
    form = request.query
    if _kind(request).startswith(b"application/x-www-form-urlencoded"):
        form = f"{form}&{request.body[:4096].decode('latin-1')}"
    action = parse_qs(form).get("Action", [""])[0] if "Action=" in form else ""
    return action if _ACTION.fullmatch(action) else None


def _kind(request: Request) -> bytes:
    return request.header(b"content-type") or b""


def _answer(request: Request, message: str, request_id: str) -> _Answer:
    kind = _kind(request)
    if (request.header(b"smithy-protocol") or b"") == b"rpc-v2-cbor":
        headers = [(b"content-type", b"application/cbor"), (b"smithy-protocol", b"rpc-v2-cbor")]
        return _Answer(_cbor({"__type": _CODE, "message": message}), headers)
    if request.header(b"x-amz-target") is not None:
        kind = kind if kind.startswith(b"application/x-amz-json-") else b"application/json"
        document = {"__type": _CODE, "message": message}
        return _Answer(json.dumps(document).encode(), [(b"content-type", kind)])
    scope = _scope(request) or ""
    if scope in _XML or _action(request) is not None:
        return _Answer(_xml(scope, message, request_id), [(b"content-type", b"text/xml")])
    body = json.dumps({"message": message}).encode()
    return _Answer(body, [(b"content-type", b"application/json")])


def _xml(scope: str, message: str, request_id: str) -> bytes:
    error = f"<Code>{_CODE}</Code><Message>{escape(message)}</Message>"
    told = f"<RequestId>{request_id}</RequestId>"
    if scope in _XML:
        text = f"<Error>{error}{told}</Error>"
    elif scope == "ec2":
        told = told.replace("RequestId", "RequestID")
        text = f"<Response><Errors><Error>{error}</Error></Errors>{told}</Response>"
    else:
        error = f"<Error><Type>Sender</Type>{error}</Error>"
        text = f"<ErrorResponse>{error}{told}</ErrorResponse>"
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def _cbor(members: dict[str, str]) -> bytes:
    """A small map of texts (RFC 8949, section 3)."""
    parts = [bytes([0xA0 | len(members)])]
    for text in (text for member in members.items() for text in member):
        data = text.encode()
        parts += [b"\x79", len(data).to_bytes(2, "big"), data]
    return b"".join(parts)
