"""The manifest is what is on disk now; a name that is not in it gets the nearest one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lambdash.daemon.catalog import Catalog
from lambdash.errors import CallerError
from lambdash.manifest import ManifestInvalid

MANIFEST = """version: 1
defaults: {runtime: python3.13, handler: app.handler}
functions:
  resizer: {code: ./code}
  mailer: {code: ./code, env_file: [mail.env]}
"""
Make = Callable[..., Catalog]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    (tmp_path / "code").mkdir()
    (tmp_path / "mail.env").write_text("FROM=ada\n")

    def make(text: str = MANIFEST, env_vars: Path | None = None) -> Catalog:
        (tmp_path / "lambdash.yaml").write_text(text)
        return Catalog(tmp_path / "lambdash.yaml", {}, env_vars)

    return make


def test_a_near_name_is_proposed_with_its_line(make: Make) -> None:
    with pytest.raises(CallerError) as raised:
        make().function("resize")
    assert raised.value.code == "function-not-found"
    assert raised.value.message == "function `resize` is not in lambdash.yaml"
    assert raised.value.hint == "did you mean `resizer`? It is defined at line 4"


def test_without_a_near_name_all_are_listed(make: Make) -> None:
    with pytest.raises(CallerError) as raised:
        make().function("zzz")
    assert raised.value.hint == "it defines `resizer`, `mailer`"


def test_an_unchanged_manifest_is_read_once(make: Make) -> None:
    catalog = make()
    assert catalog.manifest() is catalog.manifest()


def test_an_edit_is_seen(make: Make) -> None:
    catalog = make()
    assert catalog.function("resizer").configuration.timeout_s == 3
    catalog.path.write_text(MANIFEST.replace("{code: ./code}", "{code: ./code, timeout: 9}"))
    assert catalog.function("resizer").configuration.timeout_s == 9


def test_an_edit_of_an_env_file_is_seen(make: Make) -> None:
    catalog = make()
    assert catalog.function("mailer").configuration.environment == (("FROM", "ada"),)
    (catalog.path.parent / "mail.env").write_text("FROM=grace\n")
    assert catalog.function("mailer").configuration.environment == (("FROM", "grace"),)


def test_an_edit_of_the_env_vars_file_is_seen(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "vars.json"
    path.write_text('{"mailer": {"FROM": "eve"}}')
    catalog = make(env_vars=path)
    assert catalog.function("mailer").configuration.environment == (("FROM", "eve"),)
    path.write_text('{"mailer": {"FROM": "mallory"}}')
    assert catalog.function("mailer").configuration.environment == (("FROM", "mallory"),)


def test_a_broken_manifest_stays_an_error_until_it_is_mended(make: Make) -> None:
    catalog = make()
    catalog.manifest()
    catalog.path.write_text("version: 7\n")
    for _ in range(2):
        with pytest.raises(ManifestInvalid):
            catalog.manifest()
    catalog.path.write_text(MANIFEST)
    assert set(catalog.manifest().functions) == {"resizer", "mailer"}


def test_files_are_all_that_change_its_meaning(make: Make) -> None:
    catalog = make()
    catalog.manifest()
    assert [path.name for path in catalog.files()] == ["lambdash.yaml", "mail.env"]
