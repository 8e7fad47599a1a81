"""Names the Lambda operation a request asks for, from botocore's service model.

The model is read through botocore's own loader on first use: it costs 0.2 s, and only requests
that are refused need it so far.
"""

import re
from functools import cache


@cache
def _routes() -> list[tuple[str, re.Pattern[str], str]]:
    from botocore.session import Session  # noqa: PLC0415 - see above

    model = Session().get_service_model("lambda")
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].split("?")[0].rstrip("/")
        pattern = re.sub(r"\\\{\w+\\?\+\\\}", ".+", re.escape(path))
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", pattern)
        routes.append((http["method"], re.compile(pattern + "/?"), name))
    return routes


def operation_name(method: str, path: str) -> str | None:
    """``CreateFunction`` for ``POST /2015-03-31/functions``; None for no operation's route."""
    found = [name for verb, route, name in _routes() if verb == method and route.fullmatch(path)]
    return found[0] if found else None
