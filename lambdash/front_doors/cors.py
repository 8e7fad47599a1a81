"""Cross-origin resource sharing as a door's configuration allows it. Pure.

https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors: the door answers
preflight requests itself, and its headers replace the function's own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdash.front_doors.exchange import Headers, HttpAnswer, HttpRequest
from lambdash.model.connections import Cors

_ANY = "*"


def cors_of(document: Mapping[str, Any] | None) -> Cors | None:
    """From the API's document; None where nothing is configured."""
    if not document:
        return None

    def listed(name: str) -> tuple[str, ...]:
        values: Sequence[str] = document.get(name) or ()
        return tuple(values)

    return Cors(
        allow_origins=listed("AllowOrigins"),
        allow_methods=tuple(method.upper() for method in listed("AllowMethods")),
        allow_headers=tuple(name.lower() for name in listed("AllowHeaders")),
        expose_headers=listed("ExposeHeaders"),
        allow_credentials=bool(document.get("AllowCredentials")),
        max_age_s=document.get("MaxAge"),
    )


def preflight(cors: Cors, request: HttpRequest) -> HttpAnswer | None:
    """The answer to a preflight request; None for any other request."""
    method = request.header("access-control-request-method")
    if request.method != "OPTIONS" or method is None or request.header("origin") is None:
        return None
    headers = _origin_headers(cors, request)
    if headers:
        headers += _preflight_headers(cors, request, method)
    return HttpAnswer(200, headers)


def shared(cors: Cors, request: HttpRequest, answer: HttpAnswer) -> HttpAnswer:
    """The function's answer with the door's headers in place of its own."""
    if request.header("origin") is None:
        return answer
    headers = _origin_headers(cors, request)
    if headers and cors.expose_headers:
        headers += (("access-control-expose-headers", ",".join(cors.expose_headers)),)
    own = {name for name, _ in answer.headers if name.startswith("access-control-")}
    bare = HttpAnswer(
        answer.status,
        tuple(pair for pair in answer.headers if pair[0] not in own),
        answer.body,
        answer.cookies,
    )
    return bare.with_headers(headers)


def _origin_headers(cors: Cors, request: HttpRequest) -> Headers:
    """Nothing for an origin that is not allowed: the browser refuses the answer then."""
    origin = request.header("origin") or ""
    if _ANY in cors.allow_origins and not cors.allow_credentials:
        return (("access-control-allow-origin", _ANY),)
    if _ANY not in cors.allow_origins and origin not in cors.allow_origins:
        return ()
    headers: Headers = (("access-control-allow-origin", origin), ("vary", "Origin"))
    if cors.allow_credentials:
        headers += (("access-control-allow-credentials", "true"),)
    return headers


def _preflight_headers(cors: Cors, request: HttpRequest, method: str) -> Headers:
    headers: Headers = ()
    if _ANY in cors.allow_methods or method.upper() in cors.allow_methods:
        allowed = method.upper() if _ANY in cors.allow_methods else ",".join(cors.allow_methods)
        headers += (("access-control-allow-methods", allowed),)
    wanted = request.header("access-control-request-headers")
    if wanted is not None and cors.allow_headers:
        allowed = wanted if _ANY in cors.allow_headers else ",".join(cors.allow_headers)
        headers += (("access-control-allow-headers", allowed),)
    if cors.max_age_s is not None:
        headers += (("access-control-max-age", str(cors.max_age_s)),)
    return headers
