"""What every benchmark is told."""

from __future__ import annotations

from dataclasses import dataclass

from peers import Peers


@dataclass(frozen=True, slots=True)
class Options:
    """``repeat`` rounds of each comparison; ``seconds`` for each run of a load generator."""

    peers: Peers
    repeat: int
    seconds: float
