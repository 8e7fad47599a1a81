"""The real launcher through both of its channels: descriptors passed, and the relay."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from lambdash import limits
from lambdash.engines.channel import Assignment, ProcessLimits
from lambdash.errors import CallerError, PlatformError
from tests.engines.launching import Echo, Launched, Observer, Sink, alive, by_descriptors, by_relay

BOTH = {"descriptors": by_descriptors, "relay": by_relay}


@pytest.fixture(params=BOTH)
async def launched(request: pytest.FixtureRequest) -> AsyncIterator[Launched]:
    async with BOTH[request.param]() as started:
        yield started


@pytest.fixture
async def local() -> AsyncIterator[Launched]:
    async with by_descriptors() as started:
        yield started


def pids(text: bytes) -> list[int]:
    return [int(word) for word in text.split()]


async def test_output_and_exit_code_are_exact(launched: Launched) -> None:
    await launched.shell("printf 'a\\000b'; printf 'c\\n' >&2; exit 3")
    ended = await launched.observer.exit()
    assert (ended.exit_code, ended.signal, ended.sandbox_lost) == (3, None, False)
    assert ended.max_memory_bytes is not None
    assert launched.observer.stdout == b"a\0b"
    assert launched.observer.stderr == b"c\n"
    assert launched.observer.marks.keys() == {"runtime_started"}


async def test_a_signal_is_told(launched: Launched) -> None:
    await launched.shell("kill -KILL $$")
    ended = await launched.observer.exit()
    assert (ended.exit_code, ended.signal, ended.out_of_memory) == (None, signal.SIGKILL, False)


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        ("/nowhere/bootstrap", 127, b"cannot start /nowhere/bootstrap: No such file"),
        ("no-such-program", 127, b"cannot start no-such-program: No such file"),
        ("/etc/passwd", 126, b"cannot start /etc/passwd: Permission denied"),
    ],
)
async def test_what_cannot_be_started_says_so(
    launched: Launched, program: str, code: int, words: bytes
) -> None:
    await launched.run(program)
    assert (await launched.observer.exit()).exit_code == code
    assert words in launched.observer.stderr


async def test_a_missing_working_directory_says_so(local: Launched) -> None:
    await local.channel.assign(Assignment(("true",), (), "/nowhere"), local.observer)
    assert (await local.observer.exit()).exit_code == 127
    assert b"cannot enter /nowhere" in local.observer.stderr


async def test_nothing_of_the_launcher_reaches_the_runtime(launched: Launched) -> None:
    await launched.run("/usr/bin/env", ONLY="this", PATH="/bin")
    await launched.observer.exit()
    assert sorted(launched.observer.stdout.split()) == [b"ONLY=this", b"PATH=/bin"]


async def test_the_runtime_starts_with_three_descriptors_and_default_signals(
    launched: Launched,
) -> None:
    await launched.shell("ls /proc/self/fd | wc -l; grep -E 'Sig(Blk|Ign)' /proc/self/status")
    await launched.observer.exit()
    lines = launched.observer.stdout.split()
    assert lines[0] == b"4"  # the fourth is the folder that ls reads
    assert {lines[2], lines[4]} == {b"0" * 16}


async def test_limits_are_set_where_asked(local: Launched) -> None:
    shell = ("/bin/sh", "-c", "ulimit -n; ulimit -c")
    await local.channel.assign(Assignment(shell, (), "/", ProcessLimits()), local.observer)
    await local.observer.exit()
    assert local.observer.stdout == b"1024\n0\n"


async def test_the_runtime_reaches_its_connections(launched: Launched) -> None:
    await launched.python(
        "import os, socket\n"
        "s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))\n"
        "block = os.urandom(3_000_000)\n"
        "import threading\n"
        "threading.Thread(target=s.sendall, args=(block,)).start()\n"
        "got = b''\n"
        "while len(got) < len(block): got += s.recv(65536)\n"
        "print(got == block)"
    )
    assert (await launched.observer.exit()).exit_code == 0
    assert launched.observer.stdout == b"True\n"


async def test_an_answer_sent_just_before_the_end_is_read_before_the_end(
    launched: Launched,
) -> None:
    launched.observer.protocol = Sink
    await launched.python(
        "import os, socket\n"
        "s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))\n"
        "print('log', flush=True)\n"
        "s.sendall(b'answer' * 80_000); os._exit(0)"
    )
    await launched.observer.exit()
    assert bytes(launched.observer.received) == b"answer" * 80_000
    assert launched.observer.stdout == b"log\n"
    assert launched.observer.events.index("exited") > launched.observer.events.index("data")


async def test_output_written_before_an_answer_is_there_when_it_arrives(
    launched: Launched,
) -> None:
    await launched.python(
        "import os, socket\n"
        "s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))\n"
        "for n in range(200):\n"
        "    os.write(1, b'%d\\n' % n)\n"
        "    s.sendall(b'.'); s.recv(1)\n"
    )
    seen: list[int] = []
    happened = launched.observer.happened

    def at_answer(event: str) -> None:
        if event == "data":
            launched.channel.drain_output()
            seen.append(launched.observer.stdout.count(b"\n"))
        happened(event)

    launched.observer.happened = at_answer  # type: ignore[method-assign]
    await launched.observer.exit()
    assert seen == list(range(1, 201))


CROWD = (
    "import os, socket\n"
    "port = int(os.environ['PORT'])\n"
    "kept = [socket.create_connection(('127.0.0.1', port)) for _ in range(100)]\n"
    "kept[0].sendall(b'x'); print(kept[0].recv(1))\n"
)


async def test_more_connections_than_allowed_do_no_harm(launched: Launched) -> None:
    await launched.python(CROWD)
    assert (await launched.observer.exit()).exit_code == 0
    assert launched.observer.stdout == b"b'x'\n"
    assert launched.observer.most_connections <= limits.RUNTIME_CONNECTIONS_MAX


async def test_a_connection_beyond_the_bound_is_closed_at_once(local: Launched) -> None:
    await local.python(f"{CROWD}print(kept[-1].recv(1))")
    assert (await local.observer.exit()).exit_code == 0
    assert local.observer.stdout == b"b'x'\nb''\n"
    assert local.observer.most_connections == limits.RUNTIME_CONNECTIONS_MAX


async def test_a_reset_starts_the_same_anew_and_keeps_the_order(launched: Launched) -> None:
    await launched.shell("echo begin $$; head -c 60000 /dev/zero | tr '\\0' a; echo; sleep 100")
    observer = launched.observer
    await observer.until(lambda: observer.stdout.count(b"\n") == 2)
    await launched.channel.reset()
    await observer.until(lambda: observer.stdout.count(b"\n") == 4)
    lines = observer.stdout.splitlines()
    first, second = lines[0].split()[1], lines[2].split()[1]
    assert lines[1] == lines[3] == b"a" * 60000
    assert first != second
    assert not alive(int(first))
    assert observer.exits == []


async def test_a_reset_ends_connections_of_the_old_life(launched: Launched) -> None:
    await launched.python(
        "import os, socket, time\n"
        "s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))\n"
        "s.sendall(b'x'); time.sleep(100)"
    )
    observer = launched.observer
    await observer.until(lambda: observer.received == b"x")
    await launched.channel.reset()
    await observer.until(lambda: observer.received == b"xx" and observer.connections == 1)
    assert observer.events == ["data", "disconnected", "data"]


_ASK_GATEWAY = (
    "import os, socket\n"
    "s = socket.create_connection(('127.0.0.1', int(os.environ['GATEWAY'])))\n"
    "s.sendall(b'q' * 100000)\n"
    "left = 100000\n"
    "while left: left -= len(s.recv(left))\n"
    "print('heard')\n"
    "import sys; sys.stdout.flush()\n"
    "assert s.recv(1) == b''\n"
)


async def test_the_gateway_is_answered_apart_from_the_runtime_api(launched: Launched) -> None:
    asked = Observer()
    launched.channel.gateway = lambda: Echo(asked)
    await launched.python(_ASK_GATEWAY)
    for life in (1, 2):
        await launched.observer.until(lambda: launched.observer.stdout == b"heard\n" * life)  # noqa: B023
        await asked.until(lambda: len(asked.received) == 100_000 * life)  # noqa: B023
        assert launched.observer.connections == 0
        assert asked.connections == 1
        if life == 1:
            await launched.channel.reset()
    assert not launched.observer.received


async def test_a_gateway_nobody_serves_disturbs_nobody(launched: Launched) -> None:
    await launched.python(
        "import os, socket\n"
        "socket.create_connection(('127.0.0.1', int(os.environ['GATEWAY']))).sendall(b'x')\n"
        "s = socket.create_connection(('127.0.0.1', int(os.environ['PORT'])))\n"
        "s.sendall(b'ping'); assert s.recv(4) == b'ping'\n"
    )
    assert (await launched.observer.exit()).exit_code == 0


async def test_a_runtime_that_ended_can_be_reset(launched: Launched) -> None:
    await launched.shell("echo life")
    await launched.observer.exit()
    await launched.channel.reset()
    await launched.observer.until(lambda: len(launched.observer.exits) == 2)
    assert launched.observer.stdout == b"life\nlife\n"


ESCAPEE = (
    "import os, time\n"
    "told, tell = os.pipe()\n"
    "for _ in range(2):\n"
    "    if os.fork(): os.read(told, 1); os._exit(0)\n"
    "    os.setsid()\n"
    "os.write(1, b'%d\\n' % os.getpid())\n"
    "os.write(tell, b'..')\n"
    "time.sleep(100)\n"
)


async def test_who_escaped_by_setsid_dies_with_the_runtime(launched: Launched) -> None:
    await launched.python(ESCAPEE)
    await launched.observer.exit()
    (escaped,) = pids(launched.observer.stdout)
    assert not alive(escaped)


async def test_who_escaped_by_setsid_dies_at_a_reset(launched: Launched) -> None:
    await launched.python(f"import os, time\nif os.fork(): time.sleep(100)\n{ESCAPEE}")
    observer = launched.observer
    await observer.until(lambda: b"\n" in observer.stdout)
    await launched.channel.reset()
    assert not alive(pids(observer.stdout)[0])


async def test_a_storm_of_forks_leaves_nothing(local: Launched) -> None:
    await local.python(
        "import os, time\n"
        "for _ in range(7): os.fork()\n"
        "os.write(1, b'%d\\n' % os.getpid()); time.sleep(100)"
    )
    await local.observer.until(lambda: local.observer.stdout.count(b"\n") == 128)
    await local.channel.shutdown(0)
    assert [pid for pid in pids(local.observer.stdout) if alive(pid)] == []


async def test_shutdown_gives_the_runtime_its_grace(launched: Launched) -> None:
    await launched.shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.02; done")
    await launched.observer.until(lambda: launched.observer.stdout == b"ready\n")
    await launched.channel.shutdown(10)
    assert launched.observer.stdout == b"ready\nbye\n"
    assert launched.observer.exits == []
    assert await launched.gone() == 0


async def test_shutdown_kills_who_does_not_listen(launched: Launched) -> None:
    await launched.shell("trap '' TERM; echo $$; while :; do sleep 0.02; done")
    await launched.observer.until(lambda: b"\n" in launched.observer.stdout)
    await launched.channel.shutdown(0.05)
    assert not alive(pids(launched.observer.stdout)[0])
    assert await launched.gone() == 0
    await launched.channel.shutdown(0)


async def test_when_the_daemon_is_gone_everything_dies(launched: Launched) -> None:
    await launched.shell("trap '' TERM; sleep 100 & echo $$ $!; wait")
    await launched.observer.until(lambda: b"\n" in launched.observer.stdout)
    launched.channel.close()
    await launched.gone()
    assert [pid for pid in pids(launched.observer.stdout) if alive(pid)] == []


async def test_a_killed_launcher_is_a_lost_sandbox(launched: Launched) -> None:
    await launched.shell("echo $$; exec sleep 100")
    await launched.observer.until(lambda: launched.observer.stdout.endswith(b"\n"))
    launched.process.kill()
    assert (await launched.observer.exit()).sandbox_lost
    os.kill(pids(launched.observer.stdout)[0], signal.SIGKILL)
    with pytest.raises(PlatformError, match="ended before"):
        await launched.channel.reset()
    assert len(launched.observer.exits) == 1


async def test_a_flood_of_output_arrives_whole_and_starves_nobody(launched: Launched) -> None:
    sizes = {"stdout": 0, "stderr": 0}

    def count(stream: str, data: bytes) -> None:
        sizes[stream] += len(data)

    launched.observer.output = count  # type: ignore[method-assign]
    await launched.shell("head -c 100000000 /dev/zero")
    longest, last = 0.0, asyncio.get_running_loop().time()
    while not launched.observer.exits:
        await asyncio.sleep(0)
        now = asyncio.get_running_loop().time()
        longest, last = max(longest, now - last), now
    assert sizes == {"stdout": 100_000_000, "stderr": 0}
    assert longest < 1.0


async def test_draining_takes_a_bounded_amount(local: Launched) -> None:
    await local.shell("yes")
    local.channel.drain_output()
    assert len(local.observer.stdout) <= 2 * 1024 * 1024
    await local.channel.shutdown(0)


async def test_a_variable_with_nul_is_refused(local: Launched) -> None:
    with pytest.raises(CallerError) as refused:
        await local.run("true", BAD="a\0b")
    assert refused.value.code == "nul-in-variable"


async def test_too_many_variables_are_refused(local: Launched) -> None:
    with pytest.raises(CallerError) as refused:
        await local.run("true", BIG="x" * 300_000)
    assert refused.value.code == "variables-too-large"


def _first_process() -> tuple[str, ...]:
    """A command that makes the launcher PID 1 of a pid namespace, as in a container."""
    return ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")


@pytest.fixture
async def first_process() -> AsyncIterator[Launched]:
    if os.spawnlp(os.P_WAIT, "unshare", *_first_process(), "true") != 0:
        pytest.skip("this kernel gives users no pid namespaces of their own")
    async with by_descriptors(_first_process()) as started:
        yield started


async def test_pid_1_survives_signals_from_inside(first_process: Launched) -> None:
    await first_process.shell("kill -TERM 1; kill -KILL 1; kill -INT 1; echo still; exit 5")
    assert (await first_process.observer.exit()).exit_code == 5
    assert first_process.observer.stdout == b"still\n"


async def test_pid_1_survives_a_runtime_that_kills_everybody(first_process: Launched) -> None:
    await first_process.shell("sleep 100 & kill -KILL -1; echo alone; kill -KILL $$")
    ended = await first_process.observer.exit()
    assert ended.signal == signal.SIGKILL
    await first_process.channel.reset()
    await first_process.channel.shutdown(0)


async def test_pid_1_reaps_orphans_and_kills_them_at_a_reset(first_process: Launched) -> None:
    await first_process.python(
        f"import os, time\nif os.fork(): time.sleep(100)\nos.write(1, b'+')\n{ESCAPEE}"
    )
    observer = first_process.observer
    await observer.until(lambda: b"\n" in observer.stdout)
    await first_process.channel.reset()
    await observer.until(lambda: observer.stdout.count(b"\n") == 2)
    assert observer.exits == []
