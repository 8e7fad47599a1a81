"""Callers that must each be answered once, with their own nonce, whatever ends under them.

A real engine and the whole emulator, in this process. The function evaluates each payload as
shell: most answer a nonce; some exit, are killed by a signal, report an error or outlive their
timeout; some callers go away; and now and then a whole sandbox is killed from outside.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import docker
import docker.errors

from lambdash.emulator.deploy import Workshop
from lambdash.emulator.emulator import Emulator, EmulatorOptions
from lambdash.emulator.environment import ExecutionEnvironment
from lambdash.emulator.result import InvocationOptions, InvocationResult
from lambdash.engines.docker.sandbox import DockerSandbox
from lambdash.engines.process import ProcessSandbox
from lambdash.model import (
    Crashed,
    FolderSource,
    Function,
    FunctionConfiguration,
    FunctionFailed,
    Outcome,
    Scaling,
    Succeeded,
    TimedOut,
    ZipPackage,
)
from lambdash.packaging import Builder, PackageStore
from lambdash.storage.functions import DeployedFunction
from tests.engines.contract import EngineCase

NAME = "soak"
BOOTSTRAP = """#!{shell}
{request}
invocation=/2018-06-01/runtime/invocation
respond() {{ request POST $invocation/$id/response "$1" >/dev/null; }}
fail() {{ request POST $invocation/$id/error "$1" >/dev/null; }}
while :; do
  eval "$(request GET $invocation/next '')"
done
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One way an invocation may go: of ``weight`` in a thousand, what runs, how it ends."""

    weight: int
    script: str
    expected: type[Outcome]
    leaves: bool = False


KINDS = (
    Kind(930, "respond '\"{nonce}\"'", Succeeded),
    Kind(20, "exit 3", Crashed),
    Kind(15, "kill -9 $$", Crashed),
    Kind(10, 'fail \'{{"errorType":"{nonce}"}}\'', FunctionFailed),
    Kind(5, "sleep 60", TimedOut),
    Kind(20, "respond '\"{nonce}\"'", Succeeded, leaves=True),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """``kill_every``: so many answers between two kills of a sandbox."""

    invocations: int
    environments: int
    callers: int
    kill_every: int
    seed: int = 0


@dataclass
class Tally:
    """What came of it. ``harmed`` counts those whose sandbox was killed under them."""

    outcomes: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    harmed: int = 0
    kills: int = 0
    launched: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)


class Soak:
    """One run: ``go`` until every caller was answered."""

    def __init__(self, emulator: Emulator, plan: Plan) -> None:
        self._emulator = emulator
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._begun = 0
        self.tally = Tally()

    async def go(self) -> Tally:
        async with asyncio.TaskGroup() as callers:
            for _ in range(self._plan.callers):
                callers.create_task(self._call_on())
        tally = self.tally
        assert not self._emulator.busy, "somebody waits still"
        assert tally.harmed <= tally.kills, f"{tally} has more victims than kills"
        return tally

    async def _call_on(self) -> None:
        while self._begun < self._plan.invocations:
            self._begun += 1
            (kind,) = self._random.choices(KINDS, [each.weight for each in KINDS])
            await self._call(kind)
            if self.tally.answered // self._plan.kill_every > self.tally.kills:
                self.tally.kills += 1
                await self._kill_one()

    async def _call(self, kind: Kind) -> None:
        request_id = self._emulator.new_request_id()
        nonce = f"{self._random.getrandbits(64):016x}"
        answers: list[InvocationResult] = []
        answered = asyncio.Event()

        def done(result: InvocationResult) -> None:
            answers.append(result)
            answered.set()

        payload = f"id={request_id}; {kind.script.format(nonce=nonce)}".encode()
        self._emulator.invoke(NAME, payload, InvocationOptions(request_id=request_id), done)
        if kind.leaves:
            self._emulator.caller_gone(request_id)
            self.tally.answered += 1
            return
        async with asyncio.timeout(120):
            await answered.wait()
        await asyncio.sleep(0)
        self._judge(kind, nonce, answers)

    def _judge(self, kind: Kind, nonce: str, answers: list[InvocationResult]) -> None:
        (result,) = answers
        outcome = result.outcome
        self.tally.answered += 1
        self.tally.outcomes[outcome.kind] += 1
        if result.environment_id is not None:
            self.tally.launched.add(result.environment_id)
        if isinstance(outcome, Succeeded | FunctionFailed):
            assert nonce.encode() in outcome.payload, f"another's answer: {outcome}"
        if not isinstance(outcome, kind.expected):
            self.tally.harmed += 1

    async def _kill_one(self) -> None:
        alive = [
            environment
            for environment in self._emulator.driver.environments.values()
            if environment.sandbox is not None and not environment.stopping
        ]
        if alive:
            await kill(self._random.choice(alive))


async def kill(environment: ExecutionEnvironment) -> None:
    """End a whole sandbox from outside, as somebody with `docker kill` or `kill -9` would."""
    match environment.sandbox:
        case ProcessSandbox(process=process):
            os.kill(process.pid, signal.SIGKILL)
        case DockerSandbox(container=container):
            await asyncio.to_thread(_kill_container, container)


def _kill_container(container: str) -> None:
    with closing(docker.APIClient(version="auto")) as client, suppress(docker.errors.APIError):
        client.kill(container)  # it may have ended by itself


@asynccontextmanager
async def emulator_of(case: EngineCase, folder: Path, plan: Plan) -> AsyncIterator[Emulator]:
    """The function deployed on a real engine."""
    store = PackageStore(folder / "store")
    engine = await case.start()
    emulator = Emulator(engine, Workshop(Builder(store), store), EmulatorOptions(folder))
    package = ZipPackage("5" * 64, 1)
    tree = store.tree_path(package)
    tree.mkdir(parents=True)
    bootstrap = tree / "bootstrap"
    request = case.request.replace("HTTP/1.1", "HTTP/1.0")  # one answer a connection
    bootstrap.write_text(BOOTSTRAP.format(shell=case.shell, request=request))
    bootstrap.chmod(0o755)
    function = Function(
        FunctionConfiguration(NAME, "provided.al2023", "bootstrap", timeout_s=2),
        FolderSource(folder),
        Scaling(max_environments=plan.environments),
    )
    try:
        await emulator.deployer.switch(DeployedFunction(function, package, "soak"))
        yield emulator
    finally:
        await emulator.close()
        await engine.close()
        store.close()


async def soak(case: EngineCase, folder: Path, plan: Plan) -> Tally:
    """One whole run on an engine; ``left`` of the tally is what it has left there."""
    async with emulator_of(case, folder, plan) as emulator:
        tally = await Soak(emulator, plan).go()
    tally.left = case.left()
    return tally
