"""An HTTP request and its answer as the pure parts of front doors see them."""

from dataclasses import dataclass, field, replace
from typing import TypeAlias

Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. Header names are lower case; path and query are as they came, encoded.

    ``received_at`` is epoch seconds.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    source_ip: str
    received_at: float

    def header(self, name: str) -> str | None:
        """All values of a header (``name`` in lower case), joined by commas; None without any."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes back. Header names are lower case; ``cookies`` become ``set-cookie`` lines."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    cookies: tuple[str, ...] = field(default=())

    def with_headers(self, headers: Headers) -> "HttpAnswer":
        """The same with these in place of what it had under their names."""
        names = {name for name, _ in headers}
        kept = tuple(pair for pair in self.headers if pair[0] not in names)
        return replace(self, headers=kept + headers)

    def lines(self) -> list[tuple[bytes, bytes]]:
        """The header lines, encoded; what no header may hold is left out."""
        pairs = (*self.headers, *(("set-cookie", cookie) for cookie in self.cookies))
        return [
            (name.encode("latin-1", "replace"), value.encode("utf-8", "replace"))
            for name, value in pairs
            if not _UNSAFE.intersection(name + value)
        ]


_UNSAFE = frozenset("\r\n\0")


def json_answer(status: int, body: str) -> HttpAnswer:
    """An answer of the door itself."""
    return HttpAnswer(status, (("content-type", "application/json"),), body.encode())
