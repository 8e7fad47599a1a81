"""Payload format 2.0: the event of an HTTP request, and the answer a response means. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads and
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from lambdash import limits
from lambdash.front_doors.exchange import Headers, HttpAnswer, HttpRequest

_JSON = "application/json"
_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
_TEXT_SUFFIXES = ("+json", "+xml")
# what is between the two ends of one connection only, and what the answer's framing decides
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "te")
)


class MalformedResponse(Exception):
    """The function answered what no HTTP response can be made of; the caller gets 502."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the door knows beside the request (``requestContext``).

    ``authorizer`` and ``path_parameters`` and ``stage_variables`` are left out where None.
    """

    account_id: str
    api_id: str
    domain_name: str
    request_id: str
    route_key: str = "$default"
    stage: str = "$default"
    authorizer: Mapping[str, Any] | None = None
    path_parameters: Mapping[str, str] | None = None
    stage_variables: Mapping[str, str] | None = None


def event(request: HttpRequest, path: str, context: Context) -> dict[str, Any]:
    """The event; ``path`` is what the function sees (with or without a stage, decoded or not)."""
    found: dict[str, Any] = {
        "version": "2.0",
        "routeKey": context.route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        "cookies": _cookies(request),
        "headers": _headers(request),
        "queryStringParameters": _query_parameters(request.query),
        "requestContext": _request_context(request, path, context),
        "pathParameters": context.path_parameters,
        "stageVariables": context.stage_variables,
    }
    if request.body:
        encoded = not _is_text(request)
        found["body"] = (
            base64.b64encode(request.body).decode() if encoded else request.body.decode()
        )
        found["isBase64Encoded"] = encoded
    else:
        found["isBase64Encoded"] = False
    return {name: value for name, value in found.items() if value is not None}


def _request_context(request: HttpRequest, path: str, context: Context) -> dict[str, Any]:
    moment = datetime.fromtimestamp(request.received_at, UTC)
    found: dict[str, Any] = {
        "accountId": context.account_id,
        "apiId": context.api_id,
        "authorizer": context.authorizer,
        "domainName": context.domain_name,
        "domainPrefix": context.domain_name.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": context.request_id,
        "routeKey": context.route_key,
        "stage": context.stage,
        "time": f"{moment:%d/%b/%Y:%H:%M:%S} +0000",
        "timeEpoch": int(request.received_at * 1000),
    }
    return {name: value for name, value in found.items() if value is not None}


def _headers(request: HttpRequest) -> dict[str, str]:
    """Lower-case names; repeated ones joined by commas."""
    found: dict[str, str] = {}
    for name, value in request.headers:
        if name not in _HOP_BY_HOP:
            found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _cookies(request: HttpRequest) -> list[str] | None:
    joined = [value for name, value in request.headers if name == "cookie"]
    found = [part.strip() for line in joined for part in line.split(";") if part.strip()]
    return found or None


def _query_parameters(query: str) -> dict[str, str] | None:
    """Decoded; repeated names joined by commas."""
    if not query:
        return None
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _is_text(request: HttpRequest) -> bool:
    """Text types whose bytes are UTF-8; everything else reaches the function in base64."""
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if not (kind.startswith(_TEXT_TYPES) or kind.endswith(_TEXT_SUFFIXES)):
        return False
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return False
    return True


# -- responses ---------------------------------------------------------------------------------


def answer(payload: bytes, untyped: str = _JSON) -> HttpAnswer:
    """What a buffered response means; ``untyped`` is the content type of one that names none.

    Raises ``MalformedResponse``.
    """
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MalformedResponse("the response is not JSON") from error
    if isinstance(document, dict) and "statusCode" in document:
        return structured(document, untyped)
    body = document.encode() if isinstance(document, str) else payload
    return HttpAnswer(200, (("content-type", _JSON),), body)


def structured(document: Mapping[str, Any], untyped: str = _JSON) -> HttpAnswer:
    """A response with ``statusCode``. Raises ``MalformedResponse``."""
    headers = _answer_headers(document.get("headers"))
    if not any(name == "content-type" for name, _ in headers):
        headers += (("content-type", untyped),)
    cookies = document.get("cookies") or []
    if not isinstance(cookies, list):
        raise MalformedResponse("`cookies` is not a list")
    return HttpAnswer(
        _status(document["statusCode"]), headers, _body(document), tuple(map(str, cookies))
    )


def _status(value: Any) -> int:
    try:
        status = int(value)
    except (TypeError, ValueError) as error:
        raise MalformedResponse("`statusCode` is not a number") from error
    if isinstance(value, bool) or not 100 <= status <= 599:
        raise MalformedResponse(f"`statusCode` is {value}")
    return status


def _answer_headers(headers: Any) -> Headers:
    if headers is None:
        return ()
    if not isinstance(headers, dict):
        raise MalformedResponse("`headers` is not an object")
    if len(headers) > limits.HTTP_HEADERS_MAX:
        raise MalformedResponse("there are too many headers")
    return tuple(
        (str(name).lower(), _header_value(value))
        for name, value in headers.items()
        if str(name).lower() not in _HOP_BY_HOP | {"content-length"}
    )


def _header_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise MalformedResponse("a header's value is no string")


def _body(document: Mapping[str, Any]) -> bytes:
    body = document.get("body")
    if body is None:
        return b""
    if isinstance(body, dict | list):
        raise MalformedResponse("`body` is not a string")
    text = body if isinstance(body, str) else json.dumps(body)
    if document.get("isBase64Encoded") is not True:
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError) as error:
        raise MalformedResponse("`body` is not base64") from error
