"""The name of a log, and what of it is kept."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lambdash.emulator.log_stream import (
    LogStream,
    open_stream,
    runtime_version,
    runtime_version_arn,
    stored,
)
from lambdash.emulator.variables import Place
from lambdash.model import FunctionConfiguration, ImagePackage, LoggingConfig, Revision, ZipPackage
from lambdash.pool import Launch

ZIP = FunctionConfiguration("hello", "python3.13", "app.handler")


def opened(configuration: FunctionConfiguration) -> LogStream:
    package = ZipPackage("d", 1) if configuration.runtime else ImagePackage("r", "d")
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    return open_stream(
        Launch("e1", "f", "r1", None), Revision(configuration, package), Place(), now
    )


def test_names() -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html"""
    stream = opened(ZIP)
    assert stream.group == "/aws/lambda/hello"
    assert re.fullmatch(r"2026/01/31/\[\$LATEST\][0-9a-f]{32}", stream.name)
    shared = opened(replace(ZIP, logging=LoggingConfig(group="/shop")))
    assert shared.group == "/shop"
    assert re.fullmatch(r"2026/01/31/hello\[\$LATEST\][0-9a-f]{32}", shared.name)


def test_an_image_has_no_runtime_version() -> None:
    subject = opened(FunctionConfiguration("hello", None, None)).subject
    assert (subject.runtime_version, subject.runtime_version_arn) == (None, None)


def test_it_comes_back_from_the_journal() -> None:
    stream = opened(replace(ZIP, logging=LoggingConfig("JSON", "WARN", "DEBUG", "/shop")))
    row = stream.row()
    assert (row.environment, row.function, row.log_group) == ("e1", "hello", "/shop")
    assert stored(row) == stream


@pytest.mark.parametrize(
    ("runtime", "version"),
    [
        ("python3.13", "python:3.13.v0"),
        ("nodejs22.x", "nodejs:22.v0"),
        ("provided.al2023", "provided:al2023.v0"),
        ("java8.al2", "java:8.al2.v0"),
        ("RUST", "RUST.v0"),
    ],
)
def test_runtime_versions(runtime: str, version: str) -> None:
    assert runtime_version(runtime) == version
    arn = runtime_version_arn(runtime, "eu-west-1")
    assert re.fullmatch(r"arn:aws:lambda:eu-west-1::runtime:[0-9a-f]{64}", arn)
