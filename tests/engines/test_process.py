"""What the process engine does beyond the contract: copies, clients, orphans."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lambdash.engines.clone import Copies, clone_tree, remove_tree
from lambdash.engines.orphans import ProcessRecord, kill_started_with
from lambdash.engines.process import ProcessEngine, ProcessFolders, RuntimeClients
from lambdash.engines.protocol import SandboxSpec
from lambdash.errors import CallerError, PlatformError
from lambdash.model import FunctionConfiguration, ImagePackage, Revision
from lambdash.model.progress import silent
from tests.engines.cases import process_case
from tests.engines.contract import launched, with_layers
from tests.engines.launching import alive


async def test_a_managed_runtime_starts_through_its_client(tmp_path: Path) -> None:
    client = tmp_path / "store" / "python3.x-client"
    client.mkdir(parents=True)
    (client / "bootstrap.py").write_text(
        "import os\n"
        "for name in ('_HANDLER', 'LAMBDA_RUNTIME_DIR', 'LAMBDA_TASK_ROOT', 'TMPDIR', 'TZ'):\n"
        "    print(name, os.environ[name])\n"
        "print(__file__)"
    )
    clients = RuntimeClients(
        lambda runtime: client,
        lambda runtime, tree: (sys.executable, "-S", str(tree / "bootstrap.py")),
    )
    engine = ProcessEngine(ProcessFolders(tmp_path / "state", tmp_path / "s"), clients)
    await engine.start()
    async with process_case() as case:
        spec = case.specification(tmp_path / "code", runtime="python3.13", handler="app.handler")
        running = await launched(engine, spec, _HANDLER="app.handler")
        assert (await running.daemon.exit()).exit_code == 0
    await engine.close()
    state = tmp_path / "state"
    copied = state / "clients" / "python3.x-client"
    assert running.daemon.written["stdout"].decode().splitlines() == [
        "_HANDLER app.handler",
        f"LAMBDA_RUNTIME_DIR {copied}",
        f"LAMBDA_TASK_ROOT {state / 'code' / spec.revision.id}",
        f"TMPDIR {state / 'environments' / 'e1' / 'tmp'}",
        "TZ :UTC",
        str(copied / "bootstrap.py"),
    ]
    assert copied.is_dir(), "kept for the next daemon: copying it costs more than a cold start"
    assert not (state / "code").exists()


async def test_layers_and_a_wrapper_around_a_managed_runtime(tmp_path: Path) -> None:
    client, opt = tmp_path / "client", tmp_path / "opt"
    client.mkdir()
    (client / "bootstrap.py").write_text("import sys; print(sys.argv[1:])")
    (opt / "bin").mkdir(parents=True)
    wrapper = opt / "bin" / "wrap"
    wrapper.write_text('#!/bin/sh\necho wrapped "$NODE_PATH"\nexec "$@"\n')
    wrapper.chmod(0o755)
    clients = RuntimeClients(
        lambda runtime: client,
        lambda runtime, tree: (sys.executable, "-S", str(tree / "bootstrap.py")),
    )
    engine = ProcessEngine(ProcessFolders(tmp_path / "state", tmp_path / "s"), clients)
    await engine.start()
    said = {}
    async with process_case() as case:
        for runtime in ("python3.13", "nodejs22.x"):
            spec = case.specification(tmp_path / "code", runtime=runtime, handler="a.b")
            spec = with_layers(spec, opt)
            running = await launched(engine, spec, runtime, AWS_LAMBDA_EXEC_WRAPPER="/opt/bin/wrap")
            assert (await running.daemon.exit()).exit_code == 0
            copy = tmp_path / "state" / "layers" / spec.revision.id
            said[runtime] = running.daemon.written["stdout"].decode().replace(str(copy), "OPT")
            missing = await launched(engine, spec, "none", AWS_LAMBDA_EXEC_WRAPPER="/opt/none")
            assert (await missing.daemon.exit()).exit_code == 127
            await engine.stop(missing.sandbox, 0)
    await engine.close()
    modules = "OPT/nodejs/node22/node_modules:OPT/nodejs/node_modules"
    copied = tmp_path / "state" / "clients" / "client"
    assert said == {
        "python3.13": "wrapped \n['OPT']\n",
        "nodejs22.x": f"wrapped {modules}:{copied}/node_modules\n[]\n",
    }
    assert not (tmp_path / "state" / "layers").exists()


async def test_what_stands_still_runs_on_where_it_stood(tmp_path: Path) -> None:
    async with process_case() as case:
        engine = await case.start()
        running = await launched(engine, case.specification(tmp_path / "code", freeze=True))
        daemon = running.daemon
        pids = await daemon.invoke('setsid sleep 100 & other=$!; disown; respond "$$ $other"')
        await daemon.until(lambda: bool(daemon.parked))
        running.sandbox.freeze()
        async with asyncio.timeout(10):
            while {state(int(pid)) for pid in pids.split()} != {"T"}:
                await asyncio.sleep(0)
        await daemon.send("respond thawed")
        running.sandbox.thaw()
        await daemon.until(lambda: daemon.responses[1:] == [b"thawed"])
        running.sandbox.freeze()
        await engine.stop(running.sandbox, 5.0)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_an_image_function_is_refused_by_name(tmp_path: Path) -> None:
    async with process_case() as case:
        engine = await case.start()
        configuration = FunctionConfiguration("boxed", None, None)
        spec = SandboxSpec(Revision(configuration, ImagePackage("shop:1", "sha256:0")), None)
        with pytest.raises(CallerError, match="boxed") as refused:
            await engine.prepare(spec, silent)
    assert refused.value.code == "image-needs-engine"


async def test_a_killed_launcher_leaves_no_orphan_once_stopped(tmp_path: Path) -> None:
    async with process_case() as case:
        engine = await case.start()
        running = await launched(engine, case.specification(tmp_path / "code"))
        answer = await running.daemon.invoke(
            'setsid sleep 100 & orphan=$!; disown; respond "$orphan $PPID"'
        )
        orphan, launcher_pid = (int(word) for word in answer.split())
        os.kill(launcher_pid, signal.SIGKILL)
        assert (await running.daemon.exit()).sandbox_lost
        await engine.stop(running.sandbox, 0)
        assert not alive(orphan)


async def test_the_memory_peak_can_be_read_while_it_runs(tmp_path: Path) -> None:
    async with process_case() as case:
        engine = await case.start()
        running = await launched(engine, case.specification(tmp_path / "code"))
        await running.daemon.invoke("respond x")
        peak = running.sandbox.memory_peak_bytes()  # type: ignore[attr-defined]
        assert 500_000 < peak < 100_000_000


def test_a_clone_is_whole_writable_and_apart(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "run").write_text("x")
    (source / "inner" / "run").chmod(0o555)
    (source / "link").symlink_to("inner/run")
    (source / "inner").chmod(0o555)
    target = tmp_path / "made" / "target"
    clone_tree(source, target)
    assert (target / "link").read_text() == "x"
    assert (target / "link").is_symlink()
    assert (target / "inner" / "run").stat().st_mode & 0o777 == 0o755
    (target / "inner" / "run").write_text("y")
    clone_tree(source, target)
    assert (source / "inner" / "run").read_text() == "x"
    assert (target / "inner" / "run").read_text() == "y"
    assert os.listdir(tmp_path / "made") == ["target"]
    (source / "inner").chmod(0o755)


def test_a_second_clone_shares_what_is_unchanged_with_the_first_alone(tmp_path: Path) -> None:
    first, second = tmp_path / "store" / "1", tmp_path / "store" / "2"
    first.mkdir(parents=True)
    second.mkdir()
    for name in ("library.py", "touched.py"):
        (first / name).write_text(name)
        (second / name).hardlink_to(first / name)
    (first / "app.py").write_text("old")
    (second / "app.py").write_text("new")
    copies = Copies()
    clone_tree(first, tmp_path / "one", copies)
    (tmp_path / "one" / "touched.py").write_text("a handler wrote this")
    clone_tree(second, tmp_path / "two", copies)
    assert (tmp_path / "two" / "library.py").samefile(tmp_path / "one" / "library.py")
    assert not (tmp_path / "two" / "library.py").samefile(second / "library.py")
    assert (tmp_path / "two" / "touched.py").read_text() == "touched.py"
    assert (tmp_path / "two" / "app.py").read_text() == "new"
    remove_tree(tmp_path / "one")
    copies.forget_missing()
    clone_tree(second, tmp_path / "three", copies)
    assert (tmp_path / "three" / "library.py").samefile(tmp_path / "two" / "library.py")


def test_a_link_out_of_the_package_is_refused_and_nothing_remains(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "link").symlink_to("/etc/passwd")
    with pytest.raises(PlatformError) as refused:
        clone_tree(source, tmp_path / "made" / "target")
    assert refused.value.code == "package-broken"
    assert os.listdir(tmp_path / "made") == []


def test_a_folder_closed_by_its_function_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("")
    (tmp_path / "a" / "b").chmod(0)
    remove_tree(tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_record_names_one_process_for_all_time(tmp_path: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "100"], start_new_session=True)
    record = ProcessRecord.of(sleeper.pid)
    assert record is not None
    record.write(tmp_path / "record")
    assert ProcessRecord.read(tmp_path / "record") == record
    assert not ProcessRecord(record.pid, "another start").kill()
    assert sleeper.poll() is None
    assert record.kill()
    assert sleeper.wait() == -signal.SIGKILL
    assert not record.kill()


@pytest.mark.parametrize("text", ["", "[]", '{"pid": "x"}', "{", '{"pid": 1}'])
def test_a_broken_record_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "record").write_text(text)
    assert ProcessRecord.read(tmp_path / "record") is None


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_only_who_was_started_with_the_variable_is_killed(tmp_path: Path) -> None:
    mine, other = (
        subprocess.Popen(["sleep", "100"], env={"LAMBDA_TASK_ROOT": f"{tmp_path}/{name}"})
        for name in ("mine", "other")
    )
    try:
        assert kill_started_with("LAMBDA_TASK_ROOT", f"{tmp_path}/mine") == 1
        assert mine.wait() == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for process in (mine, other):
            process.kill()
            process.wait()
