"""Peers that go away while they are refused."""

import logging
import socket

import pytest

from tests.http.wire import echo, listening, until


async def test_who_is_gone_when_the_refusal_is_sent_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Found by the soak: what the answer meets is a reset, and shutting down its socket fails."""
    async with listening(echo) as listener:
        with socket.create_connection(("127.0.0.1", listener.server.port)) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\n\r\n")  # no Host
        later = await listener.peer()
        await later.exchange(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
        await until(lambda: len(listener.server.connections) == 0)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
