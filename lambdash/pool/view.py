"""What the pool shows of itself."""

from dataclasses import dataclass

from lambdash.pool.environment import EnvironmentState


@dataclass(frozen=True, slots=True)
class EnvironmentView:
    """One environment for people to read. ``since`` is when it came into ``state``."""

    id: str
    function: str
    revision_id: str
    state: EnvironmentState
    since: float
    served: int
    provisioned: bool = False
