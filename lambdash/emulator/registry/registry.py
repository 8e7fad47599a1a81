"""The one place that knows every function: in memory for reads, written through for restarts.

Kinds of records: ``version``, ``alias``, ``counter`` (the last version number, which outlives its
function), ``setting`` (what other operations keep for a function and qualifier) and ``object``
(what belongs to the account: layers, event source mappings).
"""

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdash.emulator.registry.records import Document, VersionRecord, from_json, to_json
from lambdash.emulator.registry.targets import chosen_version, is_weighted, target_of
from lambdash.emulator.registry.writer import RecordWriter
from lambdash.emulator.variables import Place
from lambdash.model import Target
from lambdash.model.arn import LATEST
from lambdash.storage.functions import DeployedFunction
from lambdash.storage.records import RecordStore

_SEPARATOR = "\t"


@dataclass(slots=True)
class FunctionEntry:
    """Everything of one function. ``settings`` is by kind, then by qualifier."""

    name: str
    versions: dict[str, VersionRecord] = field(default_factory=dict)
    aliases: dict[str, Document] = field(default_factory=dict)
    settings: dict[str, dict[str, Document]] = field(default_factory=dict)

    @property
    def latest(self) -> VersionRecord:
        """Its ``$LATEST``."""
        return self.versions[LATEST]

    def published(self) -> list[VersionRecord]:
        """Its published versions, oldest first."""
        numbered = [one for one in self.versions.values() if not one.is_latest]
        return sorted(numbered, key=lambda record: int(record.version))


class Registry:
    """Belongs to the event loop. Reads never block; ``written`` says when changes are on disk.

    ``pending`` are the functions that are still being made: they cannot be invoked yet.
    """

    def __init__(self, store: RecordStore, place: Place, choice: random.Random) -> None:
        self._writer = RecordWriter(store)
        self._place = place
        self._choice = choice
        self._functions: dict[str, FunctionEntry] = {}
        self._objects: dict[str, dict[str, Document]] = {}
        self._counters: dict[str, int] = {}
        self._targets: dict[tuple[str, str | None], Target] = {}
        self._deployed: dict[str, DeployedFunction] = {}
        self.pending: set[str] = set()
        self._load(store)

    # -- reading -------------------------------------------------------------------------------

    @property
    def functions(self) -> Mapping[str, FunctionEntry]:
        """Every function, by name."""
        return self._functions

    @property
    def deployed(self) -> Mapping[str, DeployedFunction]:
        """What answers for each function's ``$LATEST``, by name."""
        return self._deployed

    def version(self, name: str, qualifier: str | None = None) -> VersionRecord | None:
        """``$LATEST`` (also for None), a version, or the one an alias points to."""
        entry = self._functions.get(name)
        if entry is None:
            return None
        qualifier = qualifier or LATEST
        alias = entry.aliases.get(qualifier)
        return entry.versions.get(qualifier if alias is None else alias["FunctionVersion"])

    def alias(self, name: str, alias: str) -> Document | None:
        """``Name``, ``FunctionVersion``, ``Description``, ``RoutingConfig``, ``RevisionId``."""
        entry = self._functions.get(name)
        return None if entry is None else entry.aliases.get(alias)

    def target(self, name: str, qualifier: str | None = None) -> Target | None:
        """Which version answers an invocation now; None when there is no such thing."""
        known = self._targets.get((name, qualifier))
        if known is not None:
            return known
        entry = self._functions.get(name)
        if entry is None:
            return None
        alias = entry.aliases.get(qualifier or "")
        version = qualifier or LATEST if alias is None else chosen_version(alias, self._choice)
        if version not in entry.versions:
            return None
        target = target_of(name, version, self._place.function_arn(name), qualifier)
        if alias is None or not is_weighted(alias):
            self._targets[name, qualifier] = target
        return target

    def setting(self, kind: str, name: str, qualifier: str = LATEST) -> Document | None:
        """What ``put_setting`` stored last for the function and qualifier."""
        return self.settings(kind, name).get(qualifier)

    def settings(self, kind: str, name: str) -> Mapping[str, Document]:
        """All settings of a kind of one function, by qualifier."""
        entry = self._functions.get(name)
        return {} if entry is None else entry.settings.get(kind, {})

    def object(self, kind: str, id: str) -> Document | None:
        """One object of the account."""
        return self.objects(kind).get(id)

    def objects(self, kind: str) -> Mapping[str, Document]:
        """The account's objects of a kind, by id, in the order they were first put."""
        return self._objects.get(kind, {})

    # -- changing ------------------------------------------------------------------------------

    def put(self, record: VersionRecord) -> None:
        """Insert or replace a version (``$LATEST`` first, or the function is made by it)."""
        entry = self._functions.setdefault(record.name, FunctionEntry(record.name))
        entry.versions[record.version] = record
        self._index(record)
        self._save("version", (record.name, record.version), to_json(record))

    def remove_version(self, name: str, version: str) -> None:
        """Forget a published version and what was set for it."""
        entry = self._functions[name]
        del entry.versions[version]
        self._save("version", (name, version), None)
        self._remove_settings(entry, version)

    def remove(self, name: str) -> None:
        """Forget a function with its versions, aliases and settings."""
        entry = self._functions.pop(name)
        self._deployed.pop(name, None)
        self.pending.discard(name)
        for version in entry.versions:
            self._save("version", (name, version), None)
        for alias in entry.aliases:
            self._save("alias", (name, alias), None)
        for kind, by_qualifier in entry.settings.items():
            for qualifier in by_qualifier:
                self._save("setting", (kind, name, qualifier), None)

    def next_version(self, name: str) -> str:
        """A version number that this function's name never had before, as on AWS.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
        """
        number = self._counters.get(name, 0) + 1
        self._counters[name] = number
        self._save("counter", (name,), json.dumps(number))
        return str(number)

    def put_alias(self, name: str, alias: str, document: Document) -> None:
        """Insert or replace an alias."""
        self._functions[name].aliases[alias] = document
        self._save("alias", (name, alias), json.dumps(document))

    def remove_alias(self, name: str, alias: str) -> None:
        """Forget an alias and what was set for it."""
        entry = self._functions[name]
        if entry.aliases.pop(alias, None) is not None:
            self._save("alias", (name, alias), None)
            self._remove_settings(entry, alias)

    def put_setting(
        self, kind: str, name: str, document: Document, qualifier: str = LATEST
    ) -> None:
        """Keep a document for a function and qualifier; it goes when they go."""
        self._functions[name].settings.setdefault(kind, {})[qualifier] = document
        self._save("setting", (kind, name, qualifier), json.dumps(document))

    def remove_setting(self, kind: str, name: str, qualifier: str = LATEST) -> bool:
        """Forget it; False when there was none."""
        entry = self._functions.get(name)
        found = entry is not None and entry.settings.get(kind, {}).pop(qualifier, None) is not None
        if found:
            self._save("setting", (kind, name, qualifier), None)
        return found

    def put_object(self, kind: str, id: str, document: Document) -> None:
        """Keep an object of the account."""
        self._objects.setdefault(kind, {})[id] = document
        self._save("object", (kind, id), json.dumps(document))

    def remove_object(self, kind: str, id: str) -> bool:
        """Forget it; False when there was none."""
        found = self._objects.get(kind, {}).pop(id, None) is not None
        if found:
            self._save("object", (kind, id), None)
        return found

    @property
    def all_written(self) -> bool:
        """Whether nothing waits to be written."""
        return self._writer.idle

    async def written(self) -> None:
        """Return when every change so far is in the file. Raises ``PlatformError``."""
        await self._writer.written()

    async def close(self) -> None:
        """Write what is left and close the file."""
        await self._writer.close()

    # -- keeping -------------------------------------------------------------------------------

    def _save(self, kind: str, id: Iterable[str], document: str | None) -> None:
        self._targets.clear()
        self._writer.put(kind, _SEPARATOR.join(id), document)

    def _index(self, record: VersionRecord) -> None:
        if not record.is_latest:
            return
        if record.deployed is not None:
            self._deployed[record.name] = record.deployed
        if record.document.get("State") == "Pending":
            self.pending.add(record.name)
        else:
            self.pending.discard(record.name)

    def _remove_settings(self, entry: FunctionEntry, qualifier: str) -> None:
        for kind in entry.settings:
            self.remove_setting(kind, entry.name, qualifier)

    def _load(self, store: RecordStore) -> None:
        rest = []
        for kind, identity, text in store.load():
            if kind == "version":
                record = from_json(text)
                if record is not None:
                    entry = self._functions.setdefault(record.name, FunctionEntry(record.name))
                    entry.versions[record.version] = record
                    self._index(record)
            else:
                rest.append((kind, identity.split(_SEPARATOR), json.loads(text)))
        self._functions = {
            name: entry for name, entry in self._functions.items() if LATEST in entry.versions
        }
        for kind, parts, document in rest:
            self._load_one(kind, parts, document)

    def _load_one(self, kind: str, parts: list[str], document: Any) -> None:
        match kind, parts:
            case "counter", [name]:
                self._counters[name] = document
            case "alias", [name, alias] if name in self._functions:
                self._functions[name].aliases[alias] = document
            case "setting", [setting, name, qualifier] if name in self._functions:
                settings = self._functions[name].settings
                settings.setdefault(setting, {})[qualifier] = document
            case "object", [group, object_id]:
                self._objects.setdefault(group, {})[object_id] = document
