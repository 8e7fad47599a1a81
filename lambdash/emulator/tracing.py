"""The trace header of an invocation, as a function's process finds it.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

import re
from zlib import crc32

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT = re.compile(r"[0-9a-f]{16}")


def lineage(function_name: str) -> str:
    """AWS's mark of the functions that a request has come through: hops, a hash, and a count."""
    return f"1:{crc32(function_name.encode()):08x}:0"


def completed(given: str, root: str, parent: str, function_name: str) -> str:
    """A header that a caller gave, with what is missing in it.

    One that has no proper root starts a trace of its own, as if none had been given.
    """
    fields = dict(part.strip().partition("=")[::2] for part in given.split(";"))
    own_root = fields.get("Root", "")
    if not _ROOT.fullmatch(own_root):
        fields, own_root = {}, root
    own_parent = fields.get("Parent", "")
    if not _PARENT.fullmatch(own_parent):
        own_parent = parent
    sampled = "1" if fields.get("Sampled") == "1" else "0"
    line = fields.get("Lineage") or lineage(function_name)
    return f"Root={own_root};Parent={own_parent};Sampled={sampled};Lineage={line}"
