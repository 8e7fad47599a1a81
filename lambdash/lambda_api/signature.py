"""Whether a request was signed by a key that is known: AWS Signature Version 4, verified.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, unquote_plus

from lambdash.http.server import Request
from lambdash.lambda_api.answers import Refusal

_ALGORITHM = "AWS4-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} +Credential=(?P<key>[^/,\s]+)/(?P<scope>\d{{8}}/[^/,]+/[^/,]+/aws4_request), *"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW = timedelta(minutes=5)
_UNSIGNED = "UNSIGNED-PAYLOAD"


class _Claim(NamedTuple):
    """What the ``Authorization`` header says. ``scope`` is date/region/service/aws4_request."""

    key: str
    scope: str
    headers: tuple[str, ...]
    signature: str


def verify(request: Request, keys: Mapping[str, str], now: datetime) -> None:
    """Raise ``Refusal`` unless one of ``keys`` (access key id to secret) signed the request."""
    claim = _claim(request)
    secret = keys.get(claim.key)
    if secret is None:
        message = "The security token included in the request is invalid."
        raise _refused("UnrecognizedClientException", message)
    signed_at = _text(request, b"x-amz-date")
    _check_time(signed_at, claim, now)
    if not {"host", "x-amz-date"} <= set(claim.headers):
        raise _refused("IncompleteSignatureException", "Host and X-Amz-Date must be signed.")
    canonical = hashlib.sha256(_canonical(request, claim.headers).encode()).hexdigest()
    to_sign = "\n".join((_ALGORITHM, signed_at, claim.scope, canonical))
    expected = hmac.new(_signing_key(secret, claim.scope), to_sign.encode(), hashlib.sha256)
    if not hmac.compare_digest(expected.hexdigest(), claim.signature):
        raise _refused(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details.",
        )


def _claim(request: Request) -> _Claim:
    header = _text(request, b"authorization")
    if not header:
        raise _refused("MissingAuthenticationTokenException", "Missing Authentication Token")
    found = _AUTHORIZATION.fullmatch(header)
    if found is None:
        message = "Authorization header requires Credential, SignedHeaders and Signature."
        raise _refused("IncompleteSignatureException", message)
    headers = tuple(found["headers"].split(";"))
    return _Claim(found["key"], found["scope"], headers, found["signature"])


def _check_time(signed_at: str, claim: _Claim, now: datetime) -> None:
    try:
        moment = datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _refused("IncompleteSignatureException", "X-Amz-Date is no date.") from None
    if abs(now - moment) > _SKEW or not claim.scope.startswith(signed_at[:8]):
        message = f"Signature expired: {signed_at} is not within {_SKEW} of {now:%Y%m%dT%H%M%SZ}"
        raise _refused("InvalidSignatureException", message)


def _canonical(request: Request, headers: tuple[str, ...]) -> str:
    """The canonical request; the path is encoded once more, as every service but S3 does."""
    lines = [f"{name}:{_text(request, name.encode())}\n" for name in headers]
    return "\n".join(
        (
            request.method,
            quote(request.path, safe="/~"),
            _canonical_query(request.query),
            "".join(lines),
            ";".join(headers),
            _payload_hash(request),
        )
    )


def _canonical_query(query: str) -> str:
    pairs = (part.partition("=") for part in query.split("&") if part)
    coded = ((_coded(name), _coded(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in sorted(coded))


def _coded(text: str) -> str:
    return quote(unquote_plus(text), safe="~")


def _payload_hash(request: Request) -> str:
    """What the peer declares must be true of the body, unless it is left unsigned by name."""
    actual = hashlib.sha256(request.body).hexdigest()
    declared = _text(request, b"x-amz-content-sha256")
    return declared if declared == _UNSIGNED else actual


def _signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _text(request: Request, name: bytes) -> str:
    values = [value for header, value in request.headers if header == name]
    return ",".join(" ".join(value.decode("latin-1").split()) for value in values)


def _refused(name: str, message: str) -> Refusal:
    return Refusal(403, (name, {"message": message}))
