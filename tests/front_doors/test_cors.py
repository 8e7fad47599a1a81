"""What a page of another origin may do. https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html#urls-cors"""

from lambdash.front_doors.cors import cors_of, preflight, shared
from lambdash.front_doors.exchange import HttpAnswer, HttpRequest
from lambdash.model.connections import Cors

PAGE = "https://example.com"


def request(method: str = "GET", **headers: str) -> HttpRequest:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpRequest(method, "/", "", pairs, b"", "127.0.0.1", 0.0)


def asks(**headers: str) -> HttpRequest:
    return request("OPTIONS", origin=PAGE, access_control_request_method="PUT", **headers)


def preflighted(cors: Cors, asked: HttpRequest) -> dict[str, str]:
    found = preflight(cors, asked)
    assert found is not None
    assert found.status == 200
    return dict(found.headers)


def test_a_preflight_request_is_answered_by_the_door() -> None:
    cors = Cors((PAGE,), ("GET", "PUT"), ("x-custom",), max_age_s=60)
    assert preflighted(cors, asks(access_control_request_headers="x-custom")) == {
        "access-control-allow-origin": PAGE,
        "vary": "Origin",
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "x-custom",
        "access-control-max-age": "60",
    }


def test_wildcards_allow_what_is_asked_for() -> None:
    cors = Cors(("*",), ("*",), ("*",))
    assert preflighted(cors, asks(access_control_request_headers="a,b")) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "a,b",
    }


def test_an_origin_that_is_not_allowed_gets_nothing() -> None:
    assert preflighted(Cors(("https://other.com",), ("*",)), asks()) == {}


def test_a_method_that_is_not_allowed_is_not_named() -> None:
    found = preflighted(Cors(("*",), ("GET",)), asks())
    assert "access-control-allow-methods" not in found


def test_credentials_need_the_origin_itself() -> None:
    found = preflighted(Cors(("*",), ("*",), allow_credentials=True), asks())
    assert found["access-control-allow-origin"] == PAGE
    assert found["access-control-allow-credentials"] == "true"


def test_options_without_the_preflight_headers_is_the_functions() -> None:
    assert preflight(Cors(("*",)), request("OPTIONS", origin=PAGE)) is None
    assert preflight(Cors(("*",)), request("OPTIONS")) is None
    assert preflight(Cors(("*",)), request("GET", origin=PAGE)) is None


def test_the_doors_headers_replace_the_functions() -> None:
    own = HttpAnswer(
        200, (("access-control-allow-origin", "mine"), ("access-control-x", "y"), ("a", "b"))
    )
    found = shared(Cors((PAGE,), expose_headers=("Date",)), request(origin=PAGE), own)
    assert dict(found.headers) == {
        "a": "b",
        "access-control-allow-origin": PAGE,
        "vary": "Origin",
        "access-control-expose-headers": "Date",
    }
    assert shared(Cors((PAGE,)), request(), own) == own


def test_the_apis_document() -> None:
    assert cors_of(None) is None
    assert cors_of({}) is None
    found = cors_of({"AllowMethods": ["get"], "AllowHeaders": ["X-A"], "MaxAge": 5})
    assert found == Cors(allow_methods=("GET",), allow_headers=("x-a",), max_age_s=5)
