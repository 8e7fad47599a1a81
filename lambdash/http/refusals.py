"""The plain answers of a connection itself: to what the parser refuses; reports of failures."""

import asyncio

from lambdash.http.bounds import HttpBounds
from lambdash.http.parser import Overloaded, Refused, TooLarge
from lambdash.http.request import Request
from lambdash.http.responder import Responder
from lambdash.http.upload import Handler

PLAIN_TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)


def answer_to(refusal: Refused, bounds: HttpBounds) -> tuple[Handler, Request]:
    """Who answers a refused request, and what is known of it."""
    if isinstance(refusal, TooLarge):
        return bounds.on_too_large or _plainly(refusal), refusal.request
    if isinstance(refusal, Overloaded):
        return bounds.on_overload or _plainly(refusal), refusal.request
    return _plainly(refusal), Request("", b"", [], b"")


def _plainly(refusal: Refused) -> Handler:
    """A handler that answers the refusal's status, and its reason as text."""
    body = f"{refusal.reason}\n".encode()

    def answer(_request: Request, responder: Responder) -> None:
        responder.send(refusal.status, PLAIN_TEXT, body)

    return answer


def report(request: Request, error: Exception) -> None:
    """Tell the event loop's exception handler that a handler failed."""
    asyncio.get_running_loop().call_exception_handler(
        {"message": f"an HTTP handler failed on {request!r}", "exception": error}
    )
