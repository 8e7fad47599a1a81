"""One complete request, as the handler gets it."""

Headers = list[tuple[bytes, bytes]]


class Request:
    """A parsed request. Header names are lower-cased; ``target`` is raw, as the peer sent it."""

    __slots__ = ("_path", "body", "headers", "method", "target")

    def __init__(self, method: str, target: bytes, headers: Headers, body: bytes) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self._path: str | None = None

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header (``name`` in lower case), or None."""
        for candidate, value in self.headers:
            if candidate == name:
                return value
        return None

    @property
    def path(self) -> str:
        """The target's path, still percent-encoded; of an absolute target without its host."""
        known = self._path
        if known is None:
            known = self._path = self._parsed_path()
        return known

    def _parsed_path(self) -> str:
        path = self.target.partition(b"?")[0]
        if path[:1] != b"/" and b"://" in path:
            path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
        return path.decode("latin-1")

    @property
    def query(self) -> str:
        """What follows the first ``?``, still percent-encoded; empty when there is none."""
        return self.target.partition(b"?")[2].decode("latin-1")

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.target!r} body={len(self.body)} bytes>"
