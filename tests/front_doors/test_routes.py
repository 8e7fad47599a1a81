"""Which route a request takes, as API Gateway ranks them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdash.front_doors.routes import Route, RouteTable

ROUTES = [
    ("$default", "ANY"),
    ("/{proxy+}", "ANY"),
    ("/pets/{id}", "GET"),
    ("/pets/dog", "GET"),
    ("/pets/dog/{proxy+}", "ANY"),
    ("/pets/{id}", "ANY"),
    ("/", "GET"),
    ("/shops/{shop}/pets/{id}", "GET"),
    ("/shops/{shop}/pets/all", "GET"),
]


def table(routes: list[tuple[str, str]] = ROUTES) -> RouteTable:
    return RouteTable([Route(method, path, f"{method} {path}") for path, method in routes])


@pytest.mark.parametrize(
    ("method", "path", "key", "variables"),
    [
        ("GET", "/pets/dog", "GET /pets/dog", None),
        ("GET", "/pets/cat", "GET /pets/{id}", {"id": "cat"}),
        ("POST", "/pets/cat", "ANY /pets/{id}", {"id": "cat"}),
        ("GET", "/pets/dog/1/2", "ANY /pets/dog/{proxy+}", {"proxy": "1/2"}),
        ("GET", "/pets/cat/1", "ANY /{proxy+}", {"proxy": "pets/cat/1"}),
        ("GET", "/", "GET /", None),
        ("POST", "/", "$default", None),
        ("GET", "/pets/", "ANY /{proxy+}", {"proxy": "pets/"}),
        ("GET", "/shops/a/pets/all", "GET /shops/{shop}/pets/all", {"shop": "a"}),
        ("GET", "/shops/a/pets/b", "GET /shops/{shop}/pets/{id}", {"shop": "a", "id": "b"}),
        ("GET", "/pets/a b", "GET /pets/{id}", {"id": "a b"}),
    ],
)
def test_the_best_route_is_taken(
    method: str, path: str, key: str, variables: dict[str, str] | None
) -> None:
    found = table().match(method, path)
    assert found is not None
    assert (found.route.key, found.path_parameters) == (key, variables)


def test_no_route() -> None:
    assert table([("/a", "GET")]).match("POST", "/a") is None
    assert table([("/a", "GET")]).match("GET", "/a/") is None
    assert table([("/a/{b}", "GET")]).match("GET", "/a/") is None
    assert table([("/a/{b+}", "GET")]).match("GET", "/a/") is None
    assert table([]).match("GET", "/") is None


@given(st.permutations(ROUTES), st.sampled_from(["/pets/dog", "/pets/x", "/", "/a/b/c"]))
def test_the_order_of_the_routes_does_not_matter(routes: list[tuple[str, str]], path: str) -> None:
    one, other = table().match("GET", path), table(routes).match("GET", path)
    assert one is not None
    assert other is not None
    assert one.route.key == other.route.key
