"""Proxies and certificate bundles of the user's, as variables for containers."""

from pathlib import Path

from lambdash.engines.docker.environment import Certificate, EngineEnvironment


def test_nothing_is_set_where_nothing_was() -> None:
    given = EngineEnvironment.from_environ({"NO_PROXY": "internal", "PATH": "/bin"})
    assert given == EngineEnvironment()
    assert given.variables() == ()


def test_proxies_are_given_in_both_cases_and_never_for_the_runtime_api() -> None:
    given = EngineEnvironment.from_environ(
        {"https_proxy": "http://p:1", "no_proxy": "a, localhost"}
    )
    assert dict(given.variables()) == {
        "HTTPS_PROXY": "http://p:1",
        "https_proxy": "http://p:1",
        "NO_PROXY": "a,localhost,127.0.0.1",
        "no_proxy": "a,localhost,127.0.0.1",
    }


def test_upper_case_wins() -> None:
    given = EngineEnvironment.from_environ({"HTTP_PROXY": "http://up", "http_proxy": "http://low"})
    assert dict(given.variables())["http_proxy"] == "http://up"


def test_each_bundle_is_mounted_once_and_named_as_the_user_named_it() -> None:
    given = EngineEnvironment.from_environ(
        {"SSL_CERT_FILE": "/ca.pem", "AWS_CA_BUNDLE": "/ca.pem", "NODE_EXTRA_CA_CERTS": "/more.pem"}
    )
    assert given.certificates == (
        Certificate(Path("/ca.pem"), ("SSL_CERT_FILE", "AWS_CA_BUNDLE")),
        Certificate(Path("/more.pem"), ("NODE_EXTRA_CA_CERTS",)),
    )
    assert dict(given.variables()) == {
        "SSL_CERT_FILE": "/var/lambdash/certificates/0/bundle.pem",
        "AWS_CA_BUNDLE": "/var/lambdash/certificates/0/bundle.pem",
        "NODE_EXTRA_CA_CERTS": "/var/lambdash/certificates/1/bundle.pem",
    }
