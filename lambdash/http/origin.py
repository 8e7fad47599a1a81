"""Whether a request comes from a web page that is not ours.

A page in the user's browser can send requests to any local port. It cannot forge ``Origin``,
``Sec-Fetch-Site`` or ``Host``: these tell it apart from a tool.
https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
"""

from collections.abc import Collection

from lambdash.http.request import Request

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_TELLING = frozenset((b"host", b"origin", b"sec-fetch-site"))
_FROM_HERE = frozenset((b"same-origin", b"none"))
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def foreign(request: Request, own_hosts: Collection[str]) -> str | None:
    """Why the request must be refused, or None.

    ``own_hosts`` are the ``host:port`` values that the listener answers to; a host alone stands
    for every port of it, and loopback names of a listed port are the same place. A page of
    another port of this machine is as foreign as any other.
    """
    telling = [pair for pair in request.headers if pair[0] in _TELLING]
    if (
        len(telling) == 1
        and telling[0][0] == b"host"
        and telling[0][1].decode("latin-1") in own_hosts
    ):
        return None  # what every tool sends: one of our hosts, and no mark of a page
    hosts = [value for name, value in request.headers if name == b"host"]
    host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
    if not _is_own(host, own_hosts):
        return f"Host {host!r} is not one of this listener's (DNS rebinding?)"
    for name, value in request.headers:
        if name == b"sec-fetch-site" and value.lower() not in _FROM_HERE:
            return f"a web page of another site sent this (Sec-Fetch-Site: {_shown(value)})"
        if name == b"origin":
            origin = _authority(value.decode("latin-1").lower())
            if origin is None or not _same_place(origin, host):
                return f"a web page of another origin sent this (Origin: {_shown(value)})"
    return None


def _is_own(host: str, own_hosts: Collection[str]) -> bool:
    name, port = _split(host)
    if not name:
        return False
    if host in own_hosts or name in own_hosts:
        return True
    return name in _LOOPBACK and any(f"{other}:{port}" in own_hosts for other in _LOOPBACK)


def _authority(origin: str) -> str | None:
    scheme, separator, authority = origin.partition("://")
    if not separator or scheme not in _DEFAULT_PORTS:
        return None
    name, port = _split(authority)
    return f"{name}:{port or _DEFAULT_PORTS[scheme]}"


def _same_place(origin: str, host: str) -> bool:
    name, port = _split(host)
    origin_name, origin_port = _split(origin)
    same_name = name == origin_name or {name, origin_name} <= _LOOPBACK
    return same_name and origin_port == (port or "80")


def _split(authority: str) -> tuple[str, str]:
    """Name and port; an IPv6 literal keeps its brackets. Anything else odd: empty."""
    name, separator, port = authority.rpartition(":")
    if not separator or authority.endswith("]"):
        name, port = authority, ""
    if (separator and port and not port.isdecimal()) or "@" in name or "/" in name:
        return "", ""
    return name, port


def _shown(value: bytes) -> str:
    return value[:100].decode("latin-1")
