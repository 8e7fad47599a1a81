"""Images resolved, pulled and built with a real engine; no registry is needed."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambdash.engines.images import ImageStore, ImageStoreOptions
from lambdash.engines.images.host_image import machine_architecture
from lambdash.engines.protocol import PullPolicy
from lambdash.errors import CallerError, FunctionError, LambdashError, PlatformError
from lambdash.model import DockerfileSource, ImagePackage
from lambdash.model.progress import Progress, silent

pytestmark = pytest.mark.docker
HERE = machine_architecture()
OTHER = "arm64" if HERE == "x86_64" else "x86_64"
# a name that no resolver answers (RFC 2606): the registry is never reached
UNREACHABLE = "registry.invalid/nothing:1"


@pytest.fixture
def store(api: Any, tmp_path: Path) -> ImageStore:
    return ImageStore(api, asyncio.to_thread, ImageStoreOptions(cache_dir=tmp_path))


@pytest.fixture
async def base(store: ImageStore) -> ImagePackage:
    return await store.build_from_host("provided.al2023", HERE, silent)


@pytest.fixture
def name(api: Any) -> Iterator[str]:
    """A function name of this test alone; what was built for it goes afterwards."""
    name = f"test-{secrets.token_hex(4)}"
    yield name
    for image in api.images(f"lambdash/build-{name}"):
        api.remove_image(image["Id"], force=True)


def dockerfile(folder: Path, *lines: str) -> DockerfileSource:
    (folder / "Dockerfile").write_text("\n".join(lines) + "\n")
    return DockerfileSource(context=folder, dockerfile=folder / "Dockerfile")


async def test_an_image_of_the_engine_is_found_without_a_registry(
    store: ImageStore, base: ImagePackage
) -> None:
    for policy in (PullPolicy.NEVER, PullPolicy.MISSING):
        found = await store.resolve(base.reference, policy, silent)
        assert found == base


async def test_never_means_never(store: ImageStore) -> None:
    said: list[Progress] = []
    with pytest.raises(CallerError) as caught:
        await store.resolve(UNREACHABLE, PullPolicy.NEVER, said.append)
    assert caught.value.code == "image-not-found"
    assert "never" not in caught.value.message
    assert said == []


async def test_a_failed_pull_is_told_once_and_then_remembered(store: ImageStore) -> None:
    said: list[Progress] = []
    codes = []
    for policy in (PullPolicy.MISSING, PullPolicy.MISSING, PullPolicy.ALWAYS):
        with pytest.raises(LambdashError) as caught:
            await store.resolve(UNREACHABLE, policy, said.append)
        codes.append(caught.value.code)
    assert codes == ["image-pull-failed"] * 3
    asked = [step for step in said if step.text == "asking the registry"]
    assert len(asked) == 2
    assert said[-1].finished


async def test_another_architecture_is_refused(store: ImageStore, base: ImagePackage) -> None:
    with pytest.raises(CallerError) as caught:
        await store.resolve(base.reference, PullPolicy.NEVER, silent, OTHER)
    assert caught.value.code == "image-wrong-architecture"
    assert f"architecture: {HERE}" in caught.value.hint


async def test_a_reference_that_is_none(store: ImageStore) -> None:
    with pytest.raises(CallerError):
        await store.resolve("UPPER/Case:!", PullPolicy.NEVER, silent)


async def test_a_runtime_falls_back_to_this_machine(store: ImageStore, base: ImagePackage) -> None:
    found = await store.for_runtime("provided.al2023", HERE, PullPolicy.NEVER, silent)
    assert found == base or "public.ecr.aws" in found.reference


async def test_a_runtime_that_cannot_be_had_lists_what_was_tried(store: ImageStore) -> None:
    with pytest.raises(PlatformError) as caught:
        await store.for_runtime("ruby4.0", HERE, PullPolicy.NEVER, silent)
    assert caught.value.code == "base-image-unavailable"
    assert "public.ecr.aws/lambda/ruby:4.0" in caught.value.message
    assert "pulling is switched off" in caught.value.message
    assert "docker pull public.ecr.aws/lambda/ruby:4.0" in caught.value.hint


async def test_the_configuration_of_an_image(store: ImageStore, base: ImagePackage) -> None:
    defaults = await store.configuration(base)
    assert defaults.entrypoint == ("/lambda-entrypoint.sh",)
    assert defaults.command == ()
    assert defaults.working_dir == "/var/task"
    assert defaults.architecture == HERE
    assert dict(defaults.env)["LAMBDA_TASK_ROOT"] == "/var/task"
    assert await store.configuration(base) is defaults


async def test_a_dockerfile_is_built_once(
    store: ImageStore, base: ImagePackage, name: str, tmp_path: Path
) -> None:
    (tmp_path / "bootstrap").write_text("#!/bin/sh\n")
    source = dockerfile(
        tmp_path, f"FROM {base.reference}", "COPY bootstrap /var/task/", 'CMD ["app.handler"]'
    )
    said: list[Progress] = []
    built = await store.build(name, source, said.append)
    assert built.reference.startswith(f"lambdash/build-{name}:")
    assert [step.done for step in said if step.unit == "steps"] == [0, 1, 2]
    assert said[-1].finished
    defaults = await store.configuration(built)
    assert (defaults.entrypoint, defaults.command) == (("/lambda-entrypoint.sh",), ("app.handler",))

    quiet: list[Progress] = []
    assert await store.build(name, source, quiet.append) == built
    assert quiet == []

    (tmp_path / "bootstrap").write_text("#!/bin/sh\ntrue\n")
    assert await store.build(name, source, silent) != built


async def test_two_callers_share_one_build(
    store: ImageStore, base: ImagePackage, name: str, tmp_path: Path
) -> None:
    source = dockerfile(tmp_path, f"FROM {base.reference}", "ENV A=1")
    said: list[Progress] = []
    first, second = await asyncio.gather(
        store.build(name, source, said.append), store.build(name, source, said.append)
    )
    assert first == second
    assert len([step for step in said if step.finished]) == 1


async def test_a_failing_step_is_named_with_its_output(
    store: ImageStore, base: ImagePackage, name: str, tmp_path: Path
) -> None:
    source = dockerfile(tmp_path, f"FROM {base.reference}", "RUN echo reason >&2; exit 7")
    with pytest.raises(FunctionError) as caught:
        await store.build(name, source, silent)
    assert caught.value.code == "image-build-failed"
    assert caught.value.message.startswith("step 2/2 `RUN echo reason >&2; exit 7` failed")
    assert "reason" in caught.value.message.splitlines()[1:][-1]


async def test_an_unknown_instruction_is_the_callers(
    store: ImageStore, name: str, tmp_path: Path
) -> None:
    with pytest.raises(CallerError) as caught:
        await store.build(name, dockerfile(tmp_path, "FROM scratch", "WRONG step"), silent)
    assert caught.value.code == "image-build-failed"
    assert "WRONG" in caught.value.message


async def test_a_missing_base_image_is_told_apart(
    store: ImageStore, name: str, tmp_path: Path
) -> None:
    with pytest.raises(PlatformError) as caught:
        await store.build(name, dockerfile(tmp_path, f"FROM {UNREACHABLE}"), silent)
    assert caught.value.code == "base-image-unavailable"
    assert UNREACHABLE in caught.value.message
