"""What the pool is told. Each is news of something that has happened; ``Pool.handle`` decides.

Values are frozen, so a shell may make ``EnvironmentReady(id)`` and ``EnvironmentResponded(id)``
once per environment and feed the same objects for life: that is the warm path.
"""

from dataclasses import dataclass
from typing import TypeAlias

from lambdash.model import Scaling
from lambdash.pool.commands import StopReason


@dataclass(frozen=True, slots=True)
class FunctionDeployed:
    """A function is served by this revision from now on, or its scaling changed, or both.

    ``function`` is the key the shell routes by: a name, or a qualified one (``name:3``). A new
    ``revision_id`` supersedes the old: waiting invocations are served by the new one only.

    ``group`` is the function's name where that is not the key itself, the same for ever. Reserved
    concurrency is the group's, as on AWS: what is said for the key of that name holds for all of
    them, and what is said for others is not looked at. All else in ``scaling`` is the key's.
    """

    function: str
    revision_id: str
    scaling: Scaling
    memory_mb: int
    group: str | None = None


@dataclass(frozen=True, slots=True)
class RevisionStaged:
    """Initialise one environment of a revision that is not current yet, ahead of the switch.

    The answer is one ``Launch``, or no launch where there is no room: then switch without it.
    The environment gets no invocation before ``FunctionDeployed`` names its revision. It comes
    on top of ``max_environments``, and a newer staging or another deployment replaces it.
    """

    function: str
    revision_id: str
    memory_mb: int


@dataclass(frozen=True, slots=True)
class FunctionRemoved:
    """The key is gone: waiting invocations fail, busy environments drain and stop.

    The last of its group gives the reserved concurrency back to the account.
    """

    function: str


@dataclass(frozen=True, slots=True)
class InvocationArrived:
    """A caller waits. ``cold`` asks for an environment launched for this invocation alone."""

    invocation_id: str
    function: str
    cold: bool = False


@dataclass(frozen=True, slots=True)
class CallerGone:
    """Nobody waits for the answer any more. What is in flight goes on; what waits leaves."""

    invocation_id: str


@dataclass(frozen=True, slots=True)
class EnvironmentLaunched:
    """The engine said that the runtime process was started. It may say so after the first poll."""

    environment_id: str


@dataclass(frozen=True, slots=True)
class EnvironmentReady:
    """The runtime (and every extension) polls for its next invocation."""

    environment_id: str


@dataclass(frozen=True, slots=True)
class EnvironmentResponded:
    """The runtime has answered; the slot is free at the next ``EnvironmentReady`` only.

    The shell's deadline goes on meanwhile: who never polls again must be reset or failed by it.
    """

    environment_id: str


@dataclass(frozen=True, slots=True)
class PollLost:
    """The connection of an idle environment's long poll closed: nothing can be handed over."""

    environment_id: str


@dataclass(frozen=True, slots=True)
class DispatchFailed:
    """A ``Dispatch`` did not reach the runtime; not one byte of it, so it may be done again."""

    environment_id: str
    invocation_id: str


@dataclass(frozen=True, slots=True)
class EnvironmentReset:
    """The deadline passed; the shell has answered the caller and starts the runtime anew.

    Feed it before the reset begins: the answer may be ``Stop`` (superseded), and then no reset
    is worth while.
    """

    environment_id: str


@dataclass(frozen=True, slots=True)
class EnvironmentFailed:
    """Launch failed, init failed or timed out, exited, or was lost. Legal in any state.

    ``reason`` comes back in ``Stop``; ``detail`` comes back in ``Fail``, untouched.
    """

    environment_id: str
    reason: StopReason
    detail: object = None


@dataclass(frozen=True, slots=True)
class EnvironmentStopped:
    """The shell has removed the sandbox after a ``Stop``; its memory is free. Always owed."""

    environment_id: str


@dataclass(frozen=True, slots=True)
class Prewarm:
    """See that ``count`` environments are idle or starting, as far as limits and memory allow."""

    function: str
    count: int


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Stop everything now; whoever waits or is in flight fails. To drain, wait before it."""


EnvironmentEvent: TypeAlias = (
    EnvironmentLaunched
    | EnvironmentReady
    | EnvironmentResponded
    | PollLost
    | DispatchFailed
    | EnvironmentReset
    | EnvironmentFailed
    | EnvironmentStopped
)
Event: TypeAlias = (
    FunctionDeployed
    | RevisionStaged
    | FunctionRemoved
    | InvocationArrived
    | CallerGone
    | EnvironmentEvent
    | Prewarm
    | Shutdown
)
