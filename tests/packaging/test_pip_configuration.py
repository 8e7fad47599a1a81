import os
from pathlib import Path

import pytest

from lambdash.errors import CallerError
from lambdash.packaging.pip_configuration import translate


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / ".config" / "pip").mkdir(parents=True)
    (tmp_path / "home" / ".pip").mkdir()
    (tmp_path / "code").mkdir()
    return tmp_path / "home"


def environ(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "XDG_CONFIG_DIRS": str(home / "xdg"), **more}


def variables(home: Path, **more: str) -> dict[str, str]:
    return dict(translate(environ(home, **more), home.parent / "code").variables)


def write(home: Path, text: str) -> None:
    (home / ".config" / "pip" / "pip.conf").write_text(text)


def test_every_option_has_its_variable(home: Path) -> None:
    write(
        home,
        """
[global]
index-url = https://index.example/simple
trusted-host =
    index.example
    other.example
cert = /ca.pem
client_cert = /client.pem
proxy = http://proxy.example:3128
timeout = 99
[install]
extra-index-url =
    https://one.example/simple
    https://two.example/simple
find-links = /wheels /more
""",
    )
    assert variables(home) == {
        "UV_DEFAULT_INDEX": "https://index.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INSECURE_HOST": "index.example other.example",
        "SSL_CERT_FILE": "/ca.pem",
        "SSL_CLIENT_CERT": "/client.pem",
        "ALL_PROXY": "http://proxy.example:3128",
        "UV_HTTP_TIMEOUT": "99",
    }


def test_the_more_particular_file_wins_and_variables_win_over_files(home: Path) -> None:
    (home / ".pip" / "pip.conf").write_text("[global]\nindex-url = https://old\ncert = /old\n")
    write(home, "[global]\nindex-url = https://user\n")
    found = variables(home)
    assert (found["UV_DEFAULT_INDEX"], found["SSL_CERT_FILE"]) == ("https://user", "/old")
    assert variables(home, PIP_INDEX_URL="https://own")["UV_DEFAULT_INDEX"] == "https://own"


def test_a_configuration_file_of_ones_own(home: Path, tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("[global]\nindex-url = https://own\n")
    write(home, "[global]\nindex-url = https://user\n")
    found = variables(home, PIP_CONFIG_FILE=str(tmp_path / "own.conf"))
    assert found["UV_DEFAULT_INDEX"] == "https://own"
    assert variables(home, PIP_CONFIG_FILE=os.devnull) == {}


@pytest.mark.parametrize(
    ("variable", "gone"),
    [
        ("UV_DEFAULT_INDEX", "UV_DEFAULT_INDEX"),
        ("UV_INDEX_URL", "UV_DEFAULT_INDEX"),
        ("UV_EXTRA_INDEX_URL", "UV_INDEX"),
        ("UV_INDEX_STRATEGY", "UV_INDEX_STRATEGY"),
        ("SSL_CERT_FILE", "SSL_CERT_FILE"),
    ],
)
def test_what_was_set_for_uv_stays(home: Path, variable: str, gone: str) -> None:
    write(home, "[global]\nindex-url = https://a\nextra-index-url = https://b\ncert = /c\n")
    assert gone in variables(home)
    assert gone not in variables(home, **{variable: "mine"})


@pytest.mark.parametrize("place", ["home/.config/uv/uv.toml", "code/uv.toml", "uv.toml"])
def test_an_index_in_uvs_own_file_stays(home: Path, place: str) -> None:
    path = home.parent / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('[[index]]\nurl = "https://mine"\n')
    write(home, "[global]\nindex-url = https://a\ncert = /c\n")
    found = variables(home)
    assert ("UV_DEFAULT_INDEX" in found, "SSL_CERT_FILE" in found) == (False, True)


def test_an_index_in_pyproject_stays(home: Path) -> None:
    (home.parent / "code" / "pyproject.toml").write_text('[tool.uv.pip]\nindex-url = "https://m"\n')
    write(home, "[global]\nindex-url = https://a\n")
    assert "UV_DEFAULT_INDEX" not in variables(home)


def test_a_switch_that_is_off_is_not_on(home: Path) -> None:
    def arguments(value: str) -> tuple[str, ...]:
        chosen = environ(home, PIP_CONFIG_FILE=os.devnull, PIP_NO_INDEX=value)
        return translate(chosen, home.parent / "code").arguments

    assert [arguments("0"), arguments("1")] == [(), ("--no-index",)]


def test_a_file_that_cannot_be_parsed(home: Path) -> None:
    write(home, "index-url = no section\n")
    with pytest.raises(CallerError) as caught:
        variables(home)
    assert caught.value.code == "pip-configuration-invalid"
