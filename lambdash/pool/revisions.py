"""Functions come, change and go: which revision serves, and what is initialised ahead."""

from lambdash.pool.commands import Command, FailCause, Stop, StopReason
from lambdash.pool.environment import Environment
from lambdash.pool.events import FunctionDeployed, FunctionRemoved, Prewarm, RevisionStaged
from lambdash.pool.fleet import Fleet
from lambdash.pool.function_pool import FunctionPool


def deploy(fleet: Fleet, event: FunctionDeployed, now: float) -> list[Command]:
    """Supersede what serves an older revision; stop the surplus of a smaller maximum."""
    function = fleet.functions.get(event.function)
    if function is None:
        share = fleet.concurrency.unreserved
        function = fleet.functions[event.function] = FunctionPool(event.function, share)
    if not fleet.closed:
        fleet.deployed[event.function] = function
    fleet.concurrency.join(function, event.group or event.function, event.scaling)
    function.scale(event.scaling)
    if function.provisioned:
        fleet.lacking[function.name] = function
    commands: list[Command] = []
    if event.revision_id != function.revision_id:
        charge_mb = fleet.memory.charge_of(event.memory_mb)
        useless = function.switch(event.revision_id, charge_mb)
        commands += _supersede(fleet, useless, now)
    while (spare := function.surplus()) is not None:
        commands.append(fleet.retire(spare, StopReason.EVICTED, Stop, now))
    fleet.wake_by(now)  # every deadline may have moved: the next tick takes stock
    return fleet.rebalance(function, now, commands)


def stage(fleet: Fleet, event: RevisionStaged, now: float) -> list[Command]:
    """Launch one of a revision to come, if it fits without evicting anyone."""
    function = fleet.functions.get(event.function)
    if function is None or fleet.closed or function.revision_id in {None, event.revision_id}:
        return []
    commands = _supersede(fleet, function.unstage(), now)
    charge_mb = fleet.memory.charge_of(event.memory_mb)
    if fleet.memory.fits(charge_mb) and not fleet.hungry:
        environment = fleet.launch(function, event.revision_id, charge_mb, now)
        environment.provisioned = function.provisioned > 0
        function.staged_revision_id = event.revision_id
        function.staged[environment.id] = environment
        commands.append(environment.launch())
    return commands


def remove(fleet: Fleet, event: FunctionRemoved, now: float) -> list[Command]:
    """Fail who waits and stop who is free; the busy drain."""
    function = fleet.functions.get(event.function)
    if function is None or function.revision_id is None:
        return []
    waiting = list(function.waiting.values())
    commands: list[Command] = [
        fleet.fail(function, invocation, FailCause.FUNCTION_REMOVED) for invocation in waiting
    ]
    commands += _supersede(fleet, function.switch(None, 0), now)
    fleet.deployed.pop(function.name, None)
    if fleet.concurrency.leave(function) and fleet.rates is not None:
        fleet.rates.forget(function.group)
    fleet.rebalance(function, now, commands)
    fleet.drop_if_empty(function)
    return commands


def prewarm(fleet: Fleet, event: Prewarm, now: float) -> list[Command]:
    """Launch ahead of need, evicting nobody and taking no memory that someone waits for."""
    function = fleet.functions.get(event.function)
    commands: list[Command] = []
    if function is None or function.revision_id is None or fleet.closed or fleet.hungry:
        return commands
    missing = event.count - len(function.idle) - len(function.coming)
    while missing > 0 and function.has_slot() and fleet.memory.fits(function.charge_mb):
        commands.append(fleet.launch_current(function, None, now))
        missing -= 1
    return commands


def _supersede(fleet: Fleet, useless: list[Environment], now: float) -> list[Command]:
    return [fleet.retire(each, StopReason.SUPERSEDED, Stop, now) for each in useless]
