"""What a deploy would change: a pure comparison of what is deployed with what the manifest says."""

from dataclasses import dataclass, fields

from lambdash.model import Function
from lambdash.storage.functions import DeployedFunction, Origin


@dataclass(frozen=True, slots=True)
class Change:
    """One function's line of the plan; ``why`` names what differs (``code``, ``timeout_s``)."""

    function: str
    action: str
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What a function's code and layers are now; ``layers`` is empty without any."""

    code: str
    layers: str = ""


def change_of(old: DeployedFunction | None, new: Function, now: Fingerprints) -> Change:
    """What deploying one function would change."""
    if old is None:
        return Change(new.name, "create")
    why = [
        field.name
        for field in fields(new.configuration)
        if getattr(old.function.configuration, field.name) != getattr(new.configuration, field.name)
    ]
    if old.function.source != new.source:
        why.append("source")
    elif old.fingerprint != now.code:
        why.append("code")
    if old.function.layers != new.layers or old.layers_fingerprint != now.layers:
        why.append("layers")
    if old.function.scaling != new.scaling:
        why.append("scaling")
    if old.function.connections != new.connections:
        why.append("connections")
    if old.origin is not Origin.MANIFEST:
        why.append("made through the API")
    return Change(new.name, "update" if why else "unchanged", tuple(why))
