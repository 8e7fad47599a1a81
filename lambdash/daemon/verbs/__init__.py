"""What the control door can be asked. A verb takes a JSON object and returns one."""

from collections.abc import Mapping

from lambdash.daemon.control import Verb
from lambdash.daemon.services import Services
from lambdash.daemon.verbs import deploy, dev, image, inspect, invoke, queue

__all__ = ["verbs"]


def verbs(services: Services) -> Mapping[str, Verb]:
    """Every verb by name, bound to one daemon's parts."""
    modules = (invoke, deploy, dev, image, inspect, queue)
    return {name: verb for module in modules for name, verb in module.verbs(services).items()}
