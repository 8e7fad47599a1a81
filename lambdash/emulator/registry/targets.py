"""Which version answers an invocation: the qualifier resolved, an alias's weights applied."""

import random
from collections.abc import Mapping
from typing import Any

from lambdash.model import Target
from lambdash.model.arn import LATEST, pool_key


def target_of(name: str, version: str, arn: str, qualifier: str | None) -> Target:
    """The target of one version; ``arn`` is the unqualified one."""
    return Target(
        name, version, pool_key(name, version), arn if qualifier is None else f"{arn}:{qualifier}"
    )


def chosen_version(alias: Mapping[str, Any], choice: random.Random) -> str:
    """The alias's own version, or an additional one with the probability of its weight.

    https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    """
    weights = alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
    drawn = choice.random() if weights else 1.0
    for version, weight in weights.items():
        if drawn < weight:
            return str(version)
        drawn -= weight
    return str(alias["FunctionVersion"])


def is_weighted(alias: Mapping[str, Any]) -> bool:
    """Whether more than one version answers for the alias."""
    return bool(alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"))


def is_version(qualifier: str | None) -> bool:
    """``$LATEST``, none at all, or a number: everything else names an alias."""
    return qualifier is None or qualifier == LATEST or qualifier.isdecimal()
