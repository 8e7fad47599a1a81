"""Pages are refused, tools are not."""

import pytest

from lambdash.http.origin import foreign
from lambdash.http.request import Request

OWN = ("127.0.0.1:4566", "lambdash.internal")


def asked(*headers: tuple[bytes, bytes]) -> str | None:
    return foreign(Request("POST", b"/", list(headers), b""), OWN)


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1:4566",
        b"localhost:4566",
        b"LOCALHOST:4566",
        b"[::1]:4566",
        b"lambdash.internal",
        b"lambdash.internal:4566",
    ],
)
def test_tools_pass(host: bytes) -> None:
    assert asked((b"host", host)) is None
    assert asked((b"host", host), (b"user-agent", b"Boto3/1.40")) is None


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example:4566",
        b"localhost",
        b"localhost:80",
        b"127.0.0.1:4567",
        b"127.0.0.1.evil.example:4566",
        b"",
        b"a@127.0.0.1:4566",
        b"127.0.0.1:4566/x",
        b"127.0.0.1:x",
        b"[::1]",
    ],
)
def test_other_hosts_are_refused(host: bytes) -> None:
    assert "rebinding" in (asked((b"host", host)) or "")


def test_no_host_or_two_are_refused() -> None:
    assert asked() is not None
    assert asked((b"host", b"127.0.0.1:4566"), (b"host", b"127.0.0.1:4566")) is not None


@pytest.mark.parametrize("site", [b"cross-site", b"same-site", b"Cross-Site", b"odd", b""])
def test_other_sites_are_refused(site: bytes) -> None:
    assert "Sec-Fetch-Site" in (asked((b"host", OWN[0].encode()), (b"sec-fetch-site", site)) or "")


@pytest.mark.parametrize("site", [b"none", b"same-origin"])
def test_the_address_bar_and_our_own_pages_pass(site: bytes) -> None:
    assert asked((b"host", OWN[0].encode()), (b"sec-fetch-site", site)) is None


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        (b"http://127.0.0.1:4566", True),
        (b"http://localhost:4566", True),
        (b"http://127.0.0.1", False),
        (b"http://127.0.0.1:3000", False),
        (b"https://127.0.0.1:3000", False),
        (b"http://evil.example", False),
        (b"http://evil.example:4566", False),
        (b"null", False),
        (b"file://", False),
        (b"http://a@b:4566", False),
        (b"", False),
    ],
)
def test_origins(origin: bytes, passes: bool) -> None:
    assert (asked((b"host", b"127.0.0.1:4566"), (b"origin", origin)) is None) is passes


def test_the_default_port() -> None:
    request = Request("GET", b"/", [(b"host", b"a"), (b"origin", b"http://a")], b"")
    assert foreign(request, ("a",)) is None
