"""Concurrency as AWS counts it: what the account has, what functions reserve, and who shares what.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html: a function with reserved
concurrency has that much to itself and no more, over all its versions; the others share what
nobody reserved. What is provisioned for a key is set aside for it, out of its function's
reservation where there is one; what runs there on top counts as ever. Who waits counts as who
runs: on AWS nobody waits.
"""

from dataclasses import dataclass

from lambdash.model import Scaling
from lambdash.pool.commands import ThrottleReason
from lambdash.pool.function_pool import FunctionPool
from lambdash.pool.share import Share


@dataclass(frozen=True, slots=True)
class AccountConcurrency:
    """``unreserved_concurrent_executions`` is what functions without a reservation share.

    AWS's ``AccountLimit``: https://docs.aws.amazon.com/lambda/latest/api/API_AccountLimit.html.
    ``provisioned_concurrent_executions`` is what of it is set aside for single keys.
    """

    concurrent_executions: int
    unreserved_concurrent_executions: int
    provisioned_concurrent_executions: int


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
        sharing = (group for group in self._groups.values() if not group.is_reserved)
        provisioned = sum(key.provisioned for group in sharing for key in group.keys.values())
        return AccountConcurrency(self._concurrent_executions, self.unreserved.limit, provisioned)

    def join(self, function: FunctionPool, group_name: str, scaling: Scaling) -> None:
        """Count a key to its function; the function's own key says what all of them reserve."""
        group = self._groups.setdefault(group_name, Group())
        group.keys[function.name] = function
        function.group = group_name
        if function.name == group_name:
            reserved = scaling.reserved_concurrent_executions
            group.is_reserved = reserved is not None
            group.own.limit = reserved or 0
        share = group.own if group.is_reserved else self.unreserved
        for key in group.keys.values():
            self._move(key, share, key.provisioned)
        self._move(function, share, scaling.provisioned_concurrent_executions)
        self._set_unreserved()

    def leave(self, function: FunctionPool) -> bool:
        """A key is gone; the last one (True) gives its function's reservation back.

        What it has in flight still counts against the account until it ends.
        """
        group = self._groups[function.group]
        del group.keys[function.name]
        if not group.keys:
            del self._groups[function.group]
        self._move(function, self.unreserved, 0)
        self._set_unreserved()
        return not group.keys

    def _move(self, function: FunctionPool, share: Share, provisioned: int) -> None:
        function.share.used -= max(function.active, function.provisioned)
        function.share, function.provisioned = share, provisioned
        share.used += max(function.active, provisioned)

    def _set_unreserved(self) -> None:
        reserved = sum(group.own.limit for group in self._groups.values())
        self.unreserved.limit = max(0, self._concurrent_executions - reserved)
