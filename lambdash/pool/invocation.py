"""An invocation as the pool sees it: who waits, since when in line, and how often handed over."""


class PooledInvocation:
    """``order`` is its place in the daemon's line of arrivals.

    ``promised`` says that an environment is being launched for this cold invocation alone.
    """

    __slots__ = ("cold", "id", "order", "promised", "redispatches")

    def __init__(self, id: str, order: int, cold: bool) -> None:  # noqa: FBT001 - the warm path
        self.id = id
        self.order = order
        self.cold = cold
        self.promised = False
        self.redispatches = 0

    def __repr__(self) -> str:
        return f"<PooledInvocation {self.id} #{self.order}{' cold' if self.cold else ''}>"
