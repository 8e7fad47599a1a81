"""The values at the leaves of an event, and how EventBridge compares numbers and addresses.

Source of behaviour: aws/event-ruler, the library EventBridge runs (``ComparableNumber``, ``CIDR``).
"""

import ipaddress
import re
from decimal import Decimal

Number = int | float | Decimal
Leaf = str | bool | Number | None

_DIGITS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_HEXTETS = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", re.ASCII)
_IPV4_MAX_CHARS = 15
_EXACT_INTEGERS = 2**53


def as_number(leaf: Leaf) -> Number | None:
    """``leaf`` if it is a JSON number: ``true`` is none."""
    if isinstance(leaf, bool) or leaf is None or isinstance(leaf, str):
        return None
    return leaf


def comparable(number: Number) -> float | None:
    """The number as binary64, or None where that would lose digits.

    What a double cannot hold (an account number of 20 digits, say) is compared by its text.
    """
    if isinstance(number, float):
        return number
    if isinstance(number, int) and -_EXACT_INTEGERS <= number <= _EXACT_INTEGERS:
        return float(number)
    try:
        double = float(number)
    except OverflowError:
        return None
    shortest = Decimal(repr(double))
    return double if shortest.is_finite() and shortest == number else None


def number_key(number: Number) -> float | str:
    """What two equal numbers have in common: their double, or else their digits."""
    double = comparable(number)
    return str(number) if double is None else double


def address(text: str) -> bytes | None:
    """The 4 or 16 bytes of an IP address literal, or None; a mapped IPv4 address has 4."""
    if _DIGITS.fullmatch(text):
        parts = [int(part) for part in text.split(".")] if len(text) <= _IPV4_MAX_CHARS else [256]
        return bytes(parts) if max(parts) < 256 else None
    if not _HEXTETS.fullmatch(text):
        return None
    try:
        parsed = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped
    return parsed.packed if mapped is None else mapped.packed
