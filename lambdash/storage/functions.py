"""What is deployed: each function, its package and its fingerprint, across daemon restarts."""

import threading
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from lambdash.model import Function, Package, Revision, ZipPackage
from lambdash.storage.database import connect, transaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS functions (name TEXT PRIMARY KEY, document TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """A function as it was last deployed; the fingerprints are those of what it came from.

    ``layers`` is all its layers in one tree.
    """

    function: Function
    package: Package
    fingerprint: str
    layers: ZipPackage | None = None
    layers_fingerprint: str = ""

    @property
    def revision(self) -> Revision:
        """The identity environments are made from."""
        return Revision(self.function.configuration, self.package, self.layers)


_DOCUMENT: TypeAdapter[DeployedFunction] = TypeAdapter(DeployedFunction)


class FunctionStore:
    """The functions of one project. Writes are durable when a call returns; they are rare."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path, _SCHEMA)
        self._lock = threading.Lock()

    def load(self) -> dict[str, DeployedFunction]:
        """Everything deployed, by name; a row of an older format is left out, to be built anew."""
        with self._lock:
            rows = self._connection.execute("SELECT name, document FROM functions").fetchall()
        found = {name: _decode(document) for name, document in rows}
        return {name: deployed for name, deployed in found.items() if deployed is not None}

    def save(self, deployed: DeployedFunction) -> None:
        """Insert or replace one function."""
        row = (deployed.function.name, _DOCUMENT.dump_json(deployed).decode())
        with self._lock, transaction(self._connection, self._path) as connection:
            connection.execute("INSERT OR REPLACE INTO functions VALUES (?, ?)", row)

    def remove(self, name: str) -> None:
        """Forget one function; nothing happens when it is not there."""
        with self._lock, transaction(self._connection, self._path) as connection:
            connection.execute("DELETE FROM functions WHERE name = ?", (name,))

    def close(self) -> None:
        """Close the file; the store is not used afterwards."""
        with self._lock:
            self._connection.close()


def _decode(document: str) -> DeployedFunction | None:
    try:
        return _DOCUMENT.validate_json(document)
    except ValidationError:
        return None
