"""The variables of a function's process, apart from those that depend on where things lie."""

import pytest

from lambdash.emulator.variables import Place, variables
from lambdash.model import FunctionConfiguration, LoggingConfig


def given(configuration: FunctionConfiguration) -> dict[str, str]:
    return dict(variables(configuration, Place("eu-west-1"), "stream"))


def test_credentials_are_no_ones() -> None:
    """Shaped as AWS's, so that SDKs take them; no account accepts them."""
    found = given(FunctionConfiguration("hello", "python3.13", "app.handler"))
    assert found["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert "lambdash" in found["AWS_SECRET_ACCESS_KEY"] + found["AWS_SESSION_TOKEN"]
    assert len(found["AWS_ACCESS_KEY_ID"]) >= 16


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [
        ("python3.13", "AWS_Lambda_python3.13"),
        ("provided.al2023", None),
        (None, "AWS_Lambda_Image"),
    ],
)
def test_the_execution_environment(runtime: str | None, expected: str | None) -> None:
    handler = None if runtime is None else "a.b"
    found = given(FunctionConfiguration("hello", runtime, handler))
    assert found.get("AWS_EXECUTION_ENV") == expected
    assert found.get("_HANDLER") == handler


def test_logging() -> None:
    text = given(FunctionConfiguration("hello", "python3.13", "a.b"))
    assert (text["AWS_LAMBDA_LOG_FORMAT"], text.get("AWS_LAMBDA_LOG_LEVEL")) == ("Text", None)
    logging = LoggingConfig("JSON", "WARN", group="/shop")
    json = given(FunctionConfiguration("hello", "python3.13", "a.b", logging=logging))
    assert (json["AWS_LAMBDA_LOG_FORMAT"], json["AWS_LAMBDA_LOG_LEVEL"]) == ("JSON", "WARN")
    assert json["AWS_LAMBDA_LOG_GROUP_NAME"] == "/shop"


def test_the_authors_own_win() -> None:
    own = FunctionConfiguration("hello", "python3.13", "a.b", environment=(("TZ", "Asia/Tokyo"),))
    assert given(own)["TZ"] == "Asia/Tokyo"
