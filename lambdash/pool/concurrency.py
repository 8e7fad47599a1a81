"""Concurrency as AWS counts it: what the account has, what functions reserve, and who shares what.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html: a function with reserved
concurrency has that much to itself and no more, over all its versions; the others share what
nobody reserved. Who waits counts as who runs: on AWS nobody waits.
"""

from dataclasses import dataclass

from lambdash.pool.commands import ThrottleReason
from lambdash.pool.function_pool import FunctionPool
from lambdash.pool.share import Share


@dataclass(frozen=True, slots=True)
class AccountConcurrency:
    """``unreserved_concurrent_executions`` is what functions without a reservation share.

    AWS's ``AccountLimit``: https://docs.aws.amazon.com/lambda/latest/api/API_AccountLimit.html.
    """

    concurrent_executions: int
    unreserved_concurrent_executions: int


class Group:
    """One function of the account: ``keys`` are those its versions are routed by.

    ``own`` is what it reserves, counted only while ``is_reserved``.
    """

    __slots__ = ("is_reserved", "keys", "own")

    def __init__(self) -> None:
        self.keys: dict[str, FunctionPool] = {}
        self.own = Share(0, ThrottleReason.RESERVED)
        self.is_reserved = False


class Concurrency:
    """Gives the pool of each key the share that its invocations count against."""

    def __init__(self, concurrent_executions: int) -> None:
        self._concurrent_executions = concurrent_executions
        self._groups: dict[str, Group] = {}
        self.unreserved = Share(concurrent_executions, ThrottleReason.ACCOUNT)

    @property
    def account(self) -> AccountConcurrency:
        """What ``GetAccountSettings`` tells, and what a reservation is checked against."""
        return AccountConcurrency(self._concurrent_executions, self.unreserved.limit)

    def join(self, function: FunctionPool, group_name: str, reserved: int | None) -> None:
        """Count a key to its function, which reserves so much from now on (None: nothing)."""
        group = self._groups.setdefault(group_name, Group())
        group.keys[function.name] = function
        function.group = group_name
        group.is_reserved = reserved is not None
        group.own.limit = reserved or 0
        share = group.own if group.is_reserved else self.unreserved
        for each in group.keys.values():
            self._move(each, share)
        self._set_unreserved()

    def leave(self, function: FunctionPool) -> None:
        """A key is gone; the last one gives its function's reservation back.

        What it has in flight still counts against the account until it ends.
        """
        group = self._groups[function.group]
        del group.keys[function.name]
        if not group.keys:
            del self._groups[function.group]
        self._move(function, self.unreserved)
        self._set_unreserved()

    def _move(self, function: FunctionPool, share: Share) -> None:
        function.share.used -= function.active
        share.used += function.active
        function.share = share

    def _set_unreserved(self) -> None:
        reserved = sum(group.own.limit for group in self._groups.values())
        self.unreserved.limit = max(0, self._concurrent_executions - reserved)
