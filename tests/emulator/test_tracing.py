"""Trace headers: what a caller gave, and what is made up for it."""

import pytest

from lambdash.emulator.tracing import completed, lineage

ROOT, PARENT = "1-65937ef1-36e47ec861b7809b59536238", "27bb0f970d7fdd19"
OTHER = "1-6838354e-78cddbfd01799d4a54be2491"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            f"Root={OTHER};Parent=6f9d0da53d17c01e;Sampled=1;Lineage=1:3276204f:0",
            f"Root={OTHER};Parent=6f9d0da53d17c01e;Sampled=1;Lineage=1:3276204f:0",
        ),
        (
            f"Self=1-0-0; Root={OTHER};Sampled=?",
            f"Root={OTHER};Parent={PARENT};Sampled=0;Lineage={lineage('f')}",
        ),
        (
            "Root=anything;Parent=6f9d0da53d17c01e;Sampled=1",
            f"Root={ROOT};Parent={PARENT};Sampled=0;Lineage={lineage('f')}",
        ),
        ("", f"Root={ROOT};Parent={PARENT};Sampled=0;Lineage={lineage('f')}"),
    ],
)
def test_completed(given: str, expected: str) -> None:
    assert completed(given, ROOT, PARENT, "f") == expected
