"""What ``awslambdaric`` calls for its HTTP, where its compiled module does not exist (macOS).

The same four functions over ``http.client`` and one kept-alive connection.
"""

import http.client
import json
import os

_PREFIX = "/2018-06-01/runtime/invocation"
_XRAY_CAUSE = "lambda-runtime-function-xray-error-cause"
_state: dict[str, str] = {"user-agent": "lambdash"}
_connections: list[http.client.HTTPConnection] = []


def initialize_client(user_agent: str) -> None:
    """Remember what to call ourselves; the address comes from the environment."""
    _state["user-agent"] = user_agent


def next() -> tuple[bytes, dict[str, str]]:  # noqa: A001 - the name awslambdaric calls
    """Wait for the next invocation: its payload, and the headers under the names AWS writes."""
    status, headers, body = _request("GET", f"{_PREFIX}/next", None, {})
    if status != http.HTTPStatus.OK:
        raise RuntimeError(f"Failed to get next invocation: {status}")
    return body, headers


def post_invocation_result(
    invoke_id: str, data: bytes, content_type: str, invocation_id: str | None = None
) -> None:
    """Answer an invocation."""
    _post(f"{_PREFIX}/{invoke_id}/response", data, {"Content-Type": content_type})


def post_error(
    invoke_id: str, document: str, xray_cause: str, invocation_id: str | None = None
) -> None:
    """Report an invocation's error, a JSON document, and its X-Ray cause."""
    error_type = str(json.loads(document).get("errorType") or "Unhandled")
    headers = {"Content-Type": "application/json", _XRAY_CAUSE: _one_line(xray_cause)}
    headers["Lambda-Runtime-Function-Error-Type"] = _one_line(error_type)
    _post(f"{_PREFIX}/{invoke_id}/error", document.encode(), headers)


def _post(path: str, data: bytes, headers: dict[str, str]) -> None:
    status, _, _ = _request("POST", path, data, headers)
    # 400, 403, 413: that invocation is settled without us; the next one is not
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RuntimeError(f"Failed to post to {path}: {status}")


def _request(
    method: str, path: str, data: bytes | None, headers: dict[str, str]
) -> tuple[int, dict[str, str], bytes]:
    if not _connections:
        _connections.append(http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"]))
    connection = _connections[0]
    connection.request(method, path, data, {"User-Agent": _state["user-agent"], **headers})
    answer = connection.getresponse()
    body = answer.read()
    return answer.status, {_named(name): value for name, value in answer.getheaders()}, body


def _named(header: str) -> str:
    return "-".join(word.capitalize() for word in header.split("-"))


def _one_line(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode().replace("\r", " ").replace("\n", " ")
