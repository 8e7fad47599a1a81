"""One contract, every engine."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lambdash.engines.protocol import Engine, Gateway, PullPolicy
from lambdash.errors import CallerError, PlatformError
from lambdash.model.progress import silent
from tests.engines.cases import CASES
from tests.engines.contract import (
    EngineCase,
    Running,
    ScriptedDaemon,
    add_extension,
    launched,
    with_layers,
)

_MARKS = {"docker": pytest.mark.docker}


@pytest.fixture(params=[pytest.param(name, marks=_MARKS.get(name, ())) for name in CASES])
async def case(request: pytest.FixtureRequest) -> AsyncIterator[EngineCase]:
    async with CASES[request.param]() as made:
        yield made


@pytest.fixture
async def engine(case: EngineCase) -> Engine:
    return await case.start()


@pytest.fixture
async def running(case: EngineCase, engine: Engine, tmp_path: Path) -> Running:
    return await launched(engine, case.specification(tmp_path / "code"))


async def test_a_launch_leads_to_the_first_next(running: Running) -> None:
    await running.daemon.until(lambda: bool(running.daemon.parked))
    marks = running.daemon.marks
    order = ["network_ready", "created", "started", "runtime_started"]
    assert [marks[name] for name in order] == sorted(marks[name] for name in order)
    assert marks.keys() == set(order)
    assert running.sandbox.id


async def test_one_runtime_serves_many_invocations(running: Running) -> None:
    answers = [await running.daemon.invoke('n=$((n+1)); respond "$n"') for _ in range(3)]
    assert answers == ["1", "2", "3"]
    assert running.daemon.exits == []


async def test_variables_are_the_functions_and_awss_only(
    case: EngineCase, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "leaked")
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "leaked")
    spec = case.specification(tmp_path / "code")
    running = await launched(engine, spec, STAGE="contract", LINES="a\nb'\"$x")
    answer = await running.daemon.invoke('respond "$(env)"')
    assert "leaked" not in answer
    assert "STAGE=contract\n" in f"{answer}\n"
    assert "LINES=a\nb'\"$x" in answer
    for name in ("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "PATH", "TZ"):
        assert f"{name}=" in answer


async def test_the_function_starts_in_its_code(running: Running) -> None:
    script = 'respond "$(pwd -P) $(cd "$LAMBDA_TASK_ROOT"; pwd -P) $(test -x bootstrap; echo $?)"'
    here, root, found = (await running.daemon.invoke(script)).split()
    assert here == root
    assert found == "0"


async def test_output_is_there_when_the_answer_is(running: Running) -> None:
    for number in range(5):
        await running.daemon.invoke(f"echo out{number}; echo err{number} >&2; respond x")
        assert running.daemon.written["stdout"].endswith(b"out%d\n" % number)
        assert running.daemon.written["stderr"].endswith(b"err%d\n" % number)


@pytest.mark.parametrize("code", [0, 1, 3, 255])
async def test_an_exit_is_told_once(running: Running, code: int) -> None:
    await running.daemon.send(f"echo last; exit {code}")
    ended = await running.daemon.exit()
    assert (ended.exit_code, ended.signal, ended.out_of_memory) == (code, None, False)
    assert not ended.sandbox_lost
    assert ended.max_memory_bytes is not None
    assert running.daemon.written["stdout"] == b"last\n"
    assert len(running.daemon.exits) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_signal_is_told(running: Running, number: signal.Signals) -> None:
    await running.daemon.send(f"kill -{int(number)} $$")
    ended = await running.daemon.exit()
    assert (ended.exit_code, ended.signal, ended.out_of_memory) == (None, number, False)


async def test_memory_beyond_the_limit_is_told(engine: Engine, running: Running) -> None:
    if not engine.capabilities.memory_limit:
        pytest.skip(f"the {engine.name} engine limits no memory, and says so")
    await running.daemon.send("exec dd if=/dev/zero of=/dev/null bs=1024M count=1")
    ended = await running.daemon.exit()
    assert ended.out_of_memory
    assert ended.signal == signal.SIGKILL


async def test_a_missing_bootstrap_ends_at_once(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    spec = case.specification(tmp_path / "code")
    (tmp_path / "code" / "bootstrap").unlink()
    running = await launched(engine, spec)
    assert (await running.daemon.exit()).exit_code == 127
    assert b"bootstrap" in running.daemon.written["stderr"]


async def test_a_reset_keeps_temporary_files_and_nothing_else(running: Running) -> None:
    await running.daemon.invoke('n=5; echo kept >"${TMPDIR:-/tmp}/file"; respond x')
    await running.daemon.send("sleep 100")
    await running.engine.reset(running.sandbox)
    answer = await running.daemon.invoke('respond "$(cat "${TMPDIR:-/tmp}/file") n=$n"')
    assert answer == "kept n="
    assert running.daemon.exits == []


async def test_a_runtime_that_ended_can_be_reset(running: Running) -> None:
    await running.daemon.send("exit 1")
    await running.daemon.exit()
    await running.engine.reset(running.sandbox)
    assert await running.daemon.invoke("respond again") == "again"


async def test_two_sandboxes_share_no_temporary_files(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    spec = case.specification(tmp_path / "code")
    first, second = await asyncio.gather(launched(engine, spec), launched(engine, spec, "e2"))
    assert first.sandbox.id != second.sandbox.id
    await first.daemon.invoke('echo mine >"${TMPDIR:-/tmp}/file"; respond x')
    assert await second.daemon.invoke('respond "$(ls "${TMPDIR:-/tmp}" 2>&1)"') == ""


async def test_stop_gives_its_grace_and_is_no_exit(running: Running) -> None:
    await running.daemon.invoke("trap 'echo bye; exit 0' TERM; respond x")
    await running.daemon.send("while :; do sleep 0.05; done")
    await running.engine.stop(running.sandbox, 10.0)
    assert running.daemon.written["stdout"] == b"bye\n"
    assert running.daemon.exits == []
    await running.engine.stop(running.sandbox, 10.0)


async def test_stop_kills_who_does_not_listen(running: Running) -> None:
    await running.daemon.invoke("trap '' TERM; respond x")
    await running.engine.stop(running.sandbox, 0.1)
    await running.daemon.until(lambda: not running.daemon.parked)
    assert running.daemon.exits == []


async def test_what_was_prepared_can_be_launched_again(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    spec = case.specification(tmp_path / "code")
    for environment in ("e1", "e2"):
        running = await launched(engine, spec, environment)
        assert await running.daemon.invoke("respond here") == "here"
        await engine.stop(running.sandbox, 0)


async def test_a_superseded_revision_still_launches(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    old = await engine.prepare(case.specification(tmp_path / "old"), silent)
    await launched(engine, case.specification(tmp_path / "new"), "e1")
    for environment in ("e2", "e3"):
        daemon = ScriptedDaemon()
        sandbox = await engine.launch(old, environment, (), daemon)
        assert await daemon.invoke("respond old") == "old"
        await engine.stop(sandbox, 0)


async def test_the_function_cannot_harm_the_package(running: Running, tmp_path: Path) -> None:
    original = (tmp_path / "code" / "bootstrap").read_bytes()
    await running.daemon.invoke("(echo harm >>$LAMBDA_TASK_ROOT/bootstrap) 2>/dev/null; respond x")
    await running.daemon.invoke("rm -rf $LAMBDA_TASK_ROOT/* 2>/dev/null; respond x")
    assert (tmp_path / "code" / "bootstrap").read_bytes() == original


async def test_the_next_daemon_collects_what_a_dead_one_left(
    case: EngineCase, running: Running
) -> None:
    await running.daemon.until(lambda: bool(running.daemon.parked))
    successor = await case.start()
    await successor.collect()
    assert (await running.daemon.exit()).sandbox_lost
    await running.engine.stop(running.sandbox, 0)
    await successor.close()


async def test_layers_are_found_and_stay_as_they_are(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    spec = with_layers(case.specification(tmp_path / "code"), tmp_path / "opt")
    tool = tmp_path / "opt" / "bin" / "greet"
    tool.parent.mkdir(parents=True)
    tool.write_text(f"#!{case.shell}\necho from a layer")
    tool.chmod(0o755)
    running = await launched(engine, spec)
    found = await running.daemon.invoke('PATH=$PATH:/opt/bin; respond "$(greet)"')
    assert found == "from a layer"
    script = 'f=$(command -v greet); (echo harm >$f) 2>/dev/null; respond "${LD_LIBRARY_PATH##*:}"'
    assert (await running.daemon.invoke(script)).endswith("/lib")
    assert "harm" not in tool.read_text()


async def test_a_bootstrap_may_lie_in_a_layer(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    spec = with_layers(case.specification(tmp_path / "code"), tmp_path / "opt")
    (tmp_path / "opt").mkdir()
    (tmp_path / "code" / "bootstrap").rename(tmp_path / "opt" / "bootstrap")
    running = await launched(engine, spec)
    assert await running.daemon.invoke('respond "$(pwd -P)"') == await running.daemon.invoke(
        'respond "$(cd "$LAMBDA_TASK_ROOT"; pwd -P)"'
    )


async def test_aws_is_asked_by_its_endpoint(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    """The function's own clients are answered, in every life; its own variable wins"""
    aws = ScriptedDaemon()
    listening = await asyncio.get_running_loop().create_server(
        aws.runtime_connection, "127.0.0.1", 0
    )
    port = listening.sockets[0].getsockname()[1]
    engine.gateway = Gateway(f"http://127.0.0.1:{port}", aws.runtime_connection)
    running = await launched(engine, case.specification(tmp_path / "code"))
    for life in (1, 2):
        await running.daemon.invoke(
            f"(AWS_LAMBDA_RUNTIME_API=${{AWS_ENDPOINT_URL#http://}}; request POST /q {life});"
            " respond x"
        )
        assert aws.responses[-1] == b"%d" % life
        await engine.reset(running.sandbox)
    own = await launched(
        engine, case.specification(tmp_path / "code"), "e2", AWS_ENDPOINT_URL="http://minio"
    )
    assert await own.daemon.invoke('respond "$AWS_ENDPOINT_URL"') == "http://minio"
    listening.close()


async def test_extensions_come_before_the_runtime(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    spec = with_layers(case.specification(tmp_path / "code"), tmp_path / "opt")
    register = f"{case.request}\necho up\nrequest GET /from/$NAME ''\nsleep 100"
    for name in ("one", "two"):
        add_extension(tmp_path / "opt", name, f"NAME={name}\n{register}", case.shell)
    running = await launched(engine, spec)
    daemon = running.daemon
    await daemon.until(lambda: {"/from/one", "/from/two"} <= daemon.asked.keys())
    assert daemon.extensions == [("one", "two")]
    assert "runtime_started" not in daemon.marks
    assert daemon.parked == []
    await engine.start_runtime(running.sandbox)
    assert await daemon.invoke("respond here") == "here"
    assert daemon.written["extension"].count(b"up\n") == 2
    await engine.reset(running.sandbox, 0.05)
    assert daemon.extensions == [("one", "two")] * 2
    await engine.start_runtime(running.sandbox)
    assert await daemon.invoke("respond again") == "again"
    await engine.stop(running.sandbox, 0.05)
    assert (daemon.exits, daemon.extension_exits) == ([], [])


async def test_the_end_of_an_extension_is_told(
    case: EngineCase, engine: Engine, tmp_path: Path
) -> None:
    spec = with_layers(case.specification(tmp_path / "code"), tmp_path / "opt")
    add_extension(tmp_path / "opt", "weak", "exit 5", case.shell)
    daemon = (await launched(engine, spec)).daemon
    await daemon.until(lambda: bool(daemon.extension_exits))
    ((name, ended),) = daemon.extension_exits
    assert (name, ended.exit_code) == ("weak", 5)


async def test_nobody_listens_in_the_sandbox(engine: Engine, running: Running) -> None:
    with pytest.raises(PlatformError) as refused:
        await engine.connect(running.sandbox, 4243, asyncio.Protocol)
    assert refused.value.code == "sandbox-refused"


async def test_images_are_refused_by_name_where_there_are_none(engine: Engine) -> None:
    if engine.capabilities.images:
        pytest.skip(f"the {engine.name} engine runs images")
    with pytest.raises(CallerError) as refused:
        await engine.resolve_image("shop/orders:1", PullPolicy.MISSING, silent)
    assert refused.value.code == "image-needs-engine"
    assert "--engine docker" in refused.value.hint


async def test_close_stops_everything(case: EngineCase, engine: Engine, tmp_path: Path) -> None:
    running = await launched(engine, case.specification(tmp_path / "code"))
    await running.daemon.until(lambda: bool(running.daemon.parked))
    await engine.close()
    assert case.left() == []
    assert running.daemon.exits == []
