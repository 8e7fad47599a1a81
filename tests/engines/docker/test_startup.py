"""Arguments, variables and folder of what runs in a sandbox."""

import pytest

from lambdash.engines.docker.startup import ImageStart, for_image, for_zip
from lambdash.errors import CallerError
from lambdash.model import FunctionConfiguration, ImageConfig

PYTHON = FunctionConfiguration("hello", "python3.13", "app.handler")
OFFICIAL = ImageStart(
    entrypoint=("/lambda-entrypoint.sh",),
    variables=(("PATH", "/var/lang/bin"), ("TZ", ":UTC")),
    working_directory="/var/task",
)


def packaged(config: ImageConfig | None) -> FunctionConfiguration:
    return FunctionConfiguration("shop", None, None, image_config=config)


def test_the_official_entrypoint_is_given_the_handler() -> None:
    startup = for_zip(PYTHON, OFFICIAL, bootstrap=None)
    assert startup.arguments == ("/lambda-entrypoint.sh", "app.handler")
    assert startup.working_directory == "/var/task"


def test_an_os_only_runtime_starts_its_bootstrap() -> None:
    startup = for_zip(PYTHON, OFFICIAL, bootstrap="/var/task/bootstrap")
    assert startup.arguments == ("/var/task/bootstrap",)


def test_variables_of_the_function_win_over_the_images_and_lose_to_the_fixed() -> None:
    startup = for_zip(PYTHON, OFFICIAL, bootstrap=None)
    given = (("TZ", "Europe/Paris"), ("_HANDLER", "x"), ("AWS_LAMBDA_RUNTIME_API", "x"))
    variables = dict(startup.variables(given, 9001))
    assert variables["TZ"] == "Europe/Paris"
    assert variables["PATH"] == "/var/lang/bin"
    assert variables["_HANDLER"] == "app.handler"
    assert variables["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:9001"
    assert variables["LAMBDA_TASK_ROOT"] == "/var/task"
    assert variables["LANG"] == "en_US.UTF-8"


def test_a_runtime_image_without_an_entrypoint_is_refused() -> None:
    with pytest.raises(CallerError) as refused:
        for_zip(PYTHON, ImageStart(), bootstrap=None)
    assert refused.value.code == "entrypoint-missing"


IMAGE = ImageStart(("/run",), ("app", "-v"), (("A", "1"),), "/srv")


@pytest.mark.parametrize(
    ("config", "arguments", "folder"),
    [
        (None, ("/run", "app", "-v"), "/srv"),
        (ImageConfig(entry_point=("/other",)), ("/other", "app", "-v"), "/srv"),
        (ImageConfig(command=("more",)), ("/run", "more"), "/srv"),
        (ImageConfig(entry_point=("/x",), command=()), ("/x",), "/srv"),
        (ImageConfig(working_directory="/else"), ("/run", "app", "-v"), "/else"),
    ],
)
def test_overrides_replace_one_thing_each(
    config: ImageConfig | None, arguments: tuple[str, ...], folder: str
) -> None:
    startup = for_image(packaged(config), IMAGE)
    assert startup.arguments == arguments
    assert startup.working_directory == folder
    assert "_HANDLER" not in dict(startup.variables((), 9001))


def test_an_image_that_says_nothing_starts_in_the_task_root_and_needs_a_command() -> None:
    startup = for_image(packaged(ImageConfig(command=("/bin/app",))), ImageStart())
    assert startup.working_directory == "/var/task"
    with pytest.raises(CallerError) as refused:
        for_image(packaged(None), ImageStart())
    assert refused.value.code == "entrypoint-missing"
