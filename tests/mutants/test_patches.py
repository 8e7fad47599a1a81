"""The patches are hand-run (``run.py``); here only that each still fits the sources."""

from pathlib import Path

import pytest

from tests.mutants.run import applies, patches


def test_there_are_mutants() -> None:
    assert len(patches()) >= 15


@pytest.mark.parametrize("patch", patches(), ids=lambda patch: patch.stem)
def test_a_mutant_still_applies(patch: Path) -> None:
    assert applies(patch), f"{patch.name} is stale: make it again from the present sources"


def test_a_patch_that_does_not_fit_is_seen(tmp_path: Path) -> None:
    assert not applies(patches()[0], tmp_path)
