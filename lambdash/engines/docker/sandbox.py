"""A running container behind one environment, and what a revision is launched with."""

from collections.abc import Mapping
from dataclasses import dataclass

from lambdash.engines.channel import Channel
from lambdash.engines.docker.exits import ExitReport
from lambdash.engines.docker.namespaces import Lease
from lambdash.engines.docker.pausing import Freezer
from lambdash.engines.docker.specs import Body, Mount, NetworkKey
from lambdash.engines.docker.startup import Startup
from lambdash.engines.protocol import Gateway
from lambdash.model import Revision


@dataclass(frozen=True, slots=True)
class DockerPrepared:
    """A revision with its image resolved, its code delivered and its network there.

    ``additions`` are variables of the user's surroundings (proxies); the function's own win.
    """

    revision: Revision
    image: str
    startup: Startup
    mounts: tuple[Mount, ...]
    key: NetworkKey
    additions: Mapping[str, str]

    @property
    def revision_id(self) -> str:
        return self.revision.id


@dataclass(slots=True)
class DockerSandbox:
    """``report`` is shared with the event stream; ``stopped`` makes a second stop do nothing.

    ``freezer`` is there for functions that stand still between invocations.
    """

    environment_id: str
    container: str
    channel: Channel
    lease: Lease
    report: ExitReport
    stopped: bool = False
    freezer: Freezer | None = None

    @property
    def id(self) -> str:
        """The container's full id."""
        return self.container

    def drain_output(self) -> None:
        self.channel.drain_output()

    def freeze(self) -> None:
        if self.freezer is not None and not self.stopped:
            self.freezer.freeze()

    def thaw(self) -> None:
        if self.freezer is not None:
            self.freezer.thaw()

    def memory_peak_bytes(self) -> int | None:
        return self.channel.memory_peak_bytes()


@dataclass(frozen=True, slots=True)
class Order:
    """One launch: what, for which environment, told to whom."""

    prepared: DockerPrepared
    environment_id: str
    variables: tuple[tuple[str, str], ...]
    report: ExitReport
    body: Body
    gateway: Gateway | None
