"""A large archive is lifted out of its JSON document before that is parsed.

An archive of 50 MB is 67 MB of base64 in one string. Parsed with the rest, it would be there three
times over: as bytes, as text, and decoded.
"""

import binascii
import io
import json
import re
import uuid
from typing import Any

from lambdash import limits
from lambdash.lambda_api.errors import malformed

# A quote within a JSON string is escaped, so this is found at a member's name only
_MEMBER = re.compile(rb'"ZipFile"\s*:\s*"')
# four characters are three bytes
_PIECE_CHARS = 4 * 256 * 1024


def parse_json(body: bytes) -> Any:
    """As ``json.loads``, but that a large ``ZipFile`` is decoded to bytes already.

    Raises ``ValueError`` or ``RecursionError`` for what is no JSON, ``ApiError`` for bad base64.
    """
    found = _MEMBER.search(body) if len(body) > limits.LIFTED_ARCHIVE_MIN_BYTES else None
    if found is None:
        return json.loads(body)
    start = found.end()
    end = body.find(b'"', start)
    text = memoryview(body)[start:end]
    if len(text) < limits.LIFTED_ARCHIVE_MIN_BYTES or body.find(b"\\", start, end) >= 0:
        return json.loads(body)
    token = uuid.uuid4().hex
    document = json.loads(b"".join((body[:start], token.encode(), body[end:])))
    return _replaced(document, token, _decoded(text))


def _decoded(text: memoryview) -> bytes:
    """A piece at a time: no second copy of it all."""
    content = io.BytesIO()
    try:
        for start in range(0, len(text), _PIECE_CHARS):
            piece = text[start : start + _PIECE_CHARS]
            content.write(binascii.a2b_base64(piece, strict_mode=True))
    except (binascii.Error, ValueError) as error:
        raise malformed("a Blob must be base64") from error
    return content.getvalue()


def _replaced(document: Any, token: str, content: bytes) -> Any:
    """The document with the lifted archive back in its place; such members lie at most one deep."""
    if not isinstance(document, dict):
        return document
    for part in (document, *(one for one in document.values() if isinstance(one, dict))):
        if part.get("ZipFile") == token:
            part["ZipFile"] = content
    return document
