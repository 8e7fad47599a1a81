"""Between the HTTP server and the pure parts of front doors: requests in, answers out."""

from lambdash.front_doors.exchange import HttpAnswer, HttpRequest
from lambdash.http.server import Request, Responder

_LOOPBACK = "127.0.0.1"


def exchange_of(request: Request, now: float) -> HttpRequest:
    """The request as the pure parts see it; ``now`` is epoch seconds."""
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers
    )
    forwarded = (
        ("x-forwarded-for", _LOOPBACK),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-port", _port(request)),
    )
    own = {name for name, _ in forwarded}
    kept = tuple(pair for pair in headers if pair[0] not in own)
    return HttpRequest(
        request.method, request.path, request.query, kept + forwarded, request.body, _LOOPBACK, now
    )


def _port(request: Request) -> str:
    host = (request.header(b"host") or b"").decode("latin-1")
    return host.rpartition(":")[2] if ":" in host else "80"


def send(responder: Responder, found: HttpAnswer) -> None:
    """Answer as a whole."""
    responder.send(found.status, found.lines(), found.body)
