"""Deciding what to remove from a store whose files are hard links of one another."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stored:
    """One package or dependency tree. ``inodes`` maps each inode in it to its size in bytes."""

    name: str
    last_used_s: float
    inodes: dict[int, int]


def measure(folder: Path, name: str) -> Stored:
    """Walk one stored folder; what vanishes meanwhile counts as nothing."""
    inodes: dict[int, int] = {}
    last_used_s = 0.0
    try:
        last_used_s = folder.stat().st_mtime
        pending = [str(folder)]
        while pending:
            with os.scandir(pending.pop()) as items:
                for item in items:
                    if item.is_dir(follow_symlinks=False):
                        pending.append(item.path)
                    else:
                        seen = item.stat(follow_symlinks=False)
                        inodes[seen.st_ino] = seen.st_size
    except FileNotFoundError:
        return Stored(name, last_used_s, {})
    return Stored(name, last_used_s, inodes)


def bytes_of(stored: Iterable[Stored]) -> int:
    """The bytes of all together, shared inodes once."""
    together: dict[int, int] = {}
    for item in stored:
        together |= item.inodes
    return sum(together.values())


def choose(
    stored: Sequence[Stored], idle: Sequence[Stored], budget_bytes: int | None
) -> list[Stored]:
    """Which of ``idle`` to remove: all, or the least recently used until the rest fits."""
    if budget_bytes is None:
        return list(idle)
    holders = Counter(inode for item in stored for inode in item.inodes)
    remaining = bytes_of(stored)
    victims: list[Stored] = []
    for item in sorted(idle, key=lambda item: (item.last_used_s, item.name)):
        if remaining <= budget_bytes:
            break
        victims.append(item)
        for inode, size in item.inodes.items():
            holders[inode] -= 1
            if not holders[inode]:
                remaining -= size
    return victims
