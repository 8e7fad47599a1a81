"""boto3 against an endpoint, off the event loop, and archives to give it."""

import asyncio
import io
import zipfile
from collections.abc import Callable
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.lambda_api.conftest import Endpoint

T = TypeVar("T")
ROLE = "arn:aws:iam::000000000000:role/any"


def aws_client(url: str, service: str = "lambda") -> Any:
    """Validates nothing itself: what a client would refuse must be refused by us as well."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, proxies={}, parameter_validation=False),
    )


async def using(endpoint: Endpoint, use: Callable[[Any], T]) -> T:
    """Run ``use`` with a client, in a thread."""
    return await asyncio.to_thread(lambda: use(aws_client(endpoint.url)))


async def refused(endpoint: Endpoint, operation: str, **parameters: Any) -> tuple[int, str, str]:
    """Status, code and message of an operation that must fail."""

    def use(aws: Any) -> tuple[int, str, str]:
        try:
            getattr(aws, operation)(**parameters)
        except ClientError as error:
            told = error.response["Error"]
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return status, told["Code"], told["Message"]
        raise AssertionError(f"{operation} was not refused")

    return await using(endpoint, use)


def archive(**files: str) -> bytes:
    """A zip; names are given with underscores for dots."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, text in (files or {"bootstrap": "#!/bin/sh\n"}).items():
            opened.writestr(zipfile.ZipInfo(name.replace("_", ".")), text)
    return buffer.getvalue()


def new_function(name: str = "made", **parameters: Any) -> dict[str, Any]:
    """The parameters of a CreateFunction that is fine."""
    return {
        "FunctionName": name,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Role": ROLE,
        "Code": {"ZipFile": archive()},
        **parameters,
    }
