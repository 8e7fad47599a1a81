"""The Extensions API as one extension uses it, over a session."""

import json
from typing import Any

from lambdash.runtime_api.messages import Answer, Command
from lambdash.runtime_api.session import Session

REGISTER = "/2020-01-01/extension/register"
NEXT = "/2020-01-01/extension/event/next"
INIT_ERROR = "/2020-01-01/extension/init/error"
EXIT_ERROR = "/2020-01-01/extension/exit/error"


def register(
    session: Session, name: str, *events: str, exchange: object = "register"
) -> tuple[Command, ...]:
    """Register ``name`` for ``events``."""
    headers = ((b"lambda-extension-name", name.encode()),)
    body = json.dumps({"events": events}).encode()
    return session.handle(exchange, "POST", REGISTER, headers, body)


def identify(commands: tuple[Command, ...]) -> str:
    """The identifier that a successful registration was answered with."""
    answer = commands[0]
    assert isinstance(answer, Answer)
    assert answer.status == 200, answer
    return dict(answer.headers)[b"Lambda-Extension-Identifier"].decode()


def ask(session: Session, identifier: str, exchange: object = "next") -> tuple[Command, ...]:
    """Ask for the next event."""
    return session.handle(exchange, "GET", NEXT, known(identifier), b"")


def known(identifier: str) -> tuple[tuple[bytes, bytes], ...]:
    """The headers that tell who speaks."""
    return ((b"lambda-extension-identifier", identifier.encode()),)


def document(command: object, status: int = 200) -> dict[str, Any]:
    """The body of an answer."""
    assert isinstance(command, Answer)
    assert command.status == status, command
    found = json.loads(command.body)
    assert isinstance(found, dict)
    return found
