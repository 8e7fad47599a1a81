"""From a manifest file to frozen functions: the package's entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from lambdash import limits
from lambdash.manifest import document, environment
from lambdash.manifest.diagnosis import report_unknown_key, validated
from lambdash.manifest.document import Entry
from lambdash.manifest.environment import EnvironmentFiles, Overrides
from lambdash.manifest.files import is_there, read_text
from lambdash.manifest.functions import Surroundings, assemble, check_runtime
from lambdash.manifest.grammar import ManifestDocument, Project, Settings
from lambdash.manifest.layers import declared
from lambdash.manifest.places import Places
from lambdash.manifest.problems import Halt, Position, Problems, Reporter
from lambdash.manifest.resources import queues_of
from lambdash.manifest.values import Values
from lambdash.model import Function
from lambdash.model.connections import QueueResource

NAMES = ("lambdash.yaml", "lambdash.yml")


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What a load may look at besides the manifest.

    ``environ`` is what ``${env:NAME}`` reads; ``env_vars`` is a JSON file as SAM's ``--env-vars``.
    """

    environ: Mapping[str, str]
    env_vars: Path | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest, read and checked. ``functions`` are in the order of the file.

    ``engine`` is None where the manifest leaves the choice. ``pull`` is ``missing``, ``never`` or
    ``always``. ``access_keys`` is None where no signature is asked for. ``env_files`` are the
    ``env_file`` files that the functions' variables came from.
    """

    path: Path
    region: str
    account_id: str
    engine: str | None
    pull: str
    network: str | None
    extra_hosts: tuple[str, ...]
    concurrent_executions: int
    aws_scaling: bool
    access_keys: Mapping[str, str] | None
    functions: Mapping[str, Function]
    env_files: tuple[Path, ...]
    queues: tuple[QueueResource, ...] = ()
    time_scale: float = 1.0


def find(start: Path) -> Path | None:
    """The manifest of a folder, or of the nearest folder above it that has one."""
    absolute = start.absolute()
    for folder in (absolute, *absolute.parents):
        for name in NAMES:
            path = folder / name
            if is_there(path.is_file):
                return path
    return None


def load(path: Path, options: LoadOptions) -> Manifest:
    """Read a manifest and the files it names. Raises ``ManifestInvalid`` with all problems."""
    problems = Problems()
    reporter = Reporter(path, problems)
    manifest = None
    try:
        root = document.compose(read_text(path, reporter), reporter)
        manifest = _Loading(path, root, Values(options.environ, reporter), options).manifest()
    except Halt:
        pass
    problems.raise_if_any()
    assert manifest is not None
    return manifest


@dataclass(frozen=True, slots=True)
class _Loading:
    path: Path
    root: document.Mapping
    values: Values
    options: LoadOptions

    def manifest(self) -> Manifest:
        project = self._project()
        entries = self._functions()
        around = self._surroundings(project, entries)
        assembled = [assemble(name, entry, around, self.values) for name, entry in entries.items()]
        functions = {function.name: function for function in assembled if function is not None}
        self._check_concurrency(project.limits.concurrent_executions, functions, entries)
        return Manifest(
            path=self.path,
            region=project.region,
            account_id=project.account_id,
            engine=project.engine,
            pull=project.pull,
            network=project.network,
            extra_hosts=tuple(project.extra_hosts),
            concurrent_executions=project.limits.concurrent_executions,
            aws_scaling=project.scaling == "aws",
            access_keys=self._access_keys(project),
            functions=MappingProxyType(functions),
            env_files=tuple(around.environment_files.read),
            queues=queues_of(around.places, self.root, self.values.reporter),
            time_scale=project.time_scale,
        )

    def _access_keys(self, project: Project) -> Mapping[str, str] | None:
        """Signatures can be asked for only where somebody can make them."""
        if project.auth == "none":
            return None
        if not project.access_keys and "auth" in self.root.entries:
            self.values.reporter.report(
                "missing-key",
                self.root.entries["auth"].key_position,
                "`auth: sigv4` needs `access_keys`",
                "add `access_keys: {ACCESS_KEY_ID: SECRET}`",
            )
        return MappingProxyType(project.access_keys)

    def _project(self) -> Project:
        entries = dict(self.root.entries)
        for name, entry in self.root.entries.items():
            if name not in ManifestDocument.model_fields:
                known = list(ManifestDocument.model_fields)
                report_unknown_key(self.values.reporter, entry.key_position, (name,), known)
            if name not in Project.model_fields:
                del entries[name]
        for required, hint in (
            ("version", "add `version: 1`"),
            ("functions", "add `functions: {NAME: {code: ./folder, ...}}`"),
        ):
            if required not in self.root.entries:
                self.values.reporter.report(
                    "missing-key", self.root.position, f"`{required}` is missing", hint
                )
        node = document.Mapping(self.root.position, entries)
        return validated(Project, node, (), self.values)

    def _functions(self) -> dict[str, Entry]:
        entry = self.root.entries.get("functions")
        node = self._mapping(entry, "functions")
        return {} if node is None else node.entries

    def _defaults(self) -> Settings:
        node = self._mapping(self.root.entries.get("defaults"), "defaults")
        if node is None:
            return Settings()
        settings = validated(Settings, node, ("defaults",), self.values)
        if settings.runtime is not None:
            position = node.entries["runtime"].node.position
            check_runtime(settings.runtime, position, self.values.reporter)
        return settings

    def _surroundings(self, project: Project, functions: Mapping[str, Entry]) -> Surroundings:
        reporter = self.values.reporter
        defaults = self._defaults()
        node = self._mapping(self.root.entries.get("defaults"), "defaults")
        files = EnvironmentFiles(reporter, self.path.absolute().parent)
        shared = files.variables(project.env_file, self.root.entries.get("env_file"))
        entry = node.entries.get("environment") if node else None
        shared |= environment.declared(defaults.environment, entry, reporter)
        overrides = Overrides()
        if self.options.env_vars is not None:
            own = Reporter(self.options.env_vars, reporter.problems)
            overrides = environment.read_overrides(self.options.env_vars, functions, own)
        layers = declared(project.layers, self.root, files.folder, reporter)
        return Surroundings(
            files.folder,
            project,
            defaults,
            shared,
            files,
            overrides,
            layers,
            Places(project, frozenset(functions)),
        )

    def _mapping(self, entry: Entry | None, name: str) -> document.Mapping | None:
        """A section that must be a mapping; None when it is absent or wrong (which is reported)."""
        if entry is None or entry.node.broken:
            return None
        if isinstance(entry.node, document.Mapping):
            return entry.node
        if self.values.entry(entry, (name,)) is not None:
            self.values.reporter.report(
                "wrong-type", entry.node.position, f"`{name}` must be a mapping"
            )
        return None

    def _check_concurrency(
        self, account: int, functions: Mapping[str, Function], entries: Mapping[str, Entry]
    ) -> None:
        """AWS keeps 100 executions of an account unreserved; what is provisioned comes out of what
        the function reserves, if it reserves any."""
        root = document.Mapping(self.root.position, dict(entries))
        left = account - limits.UNRESERVED_CONCURRENCY_MIN
        for name, function in functions.items():
            reserved = function.scaling.reserved_concurrent_executions
            provisioned = function.scaling.provisioned_concurrent_executions
            if reserved is not None and reserved < provisioned:
                self.values.reporter.report(
                    "provisioned-too-much",
                    _position(root, name, "provisioned_concurrent_executions"),
                    f"function `{name}` provisions {provisioned} of the {reserved} it reserves",
                    "what is provisioned comes out of `reserved_concurrent_executions`",
                )
            claimed, verb = (
                (provisioned, "provisions") if reserved is None else (reserved, "reserves")
            )
            left -= claimed
            if claimed and left < 0:
                key = "provisioned" if reserved is None else "reserved"
                self.values.reporter.report(
                    "reserved-too-much",
                    _position(root, name, f"{key}_concurrent_executions"),
                    f"function `{name}` {verb} {-left} more than the account can spare",
                    f"{limits.UNRESERVED_CONCURRENCY_MIN} of {account} concurrent executions "
                    "stay unreserved; raise `limits.concurrent_executions` as AWS would",
                )
                left += claimed


def _position(root: document.Mapping, function: str, key: str) -> Position:
    found = document.entry_at(root, (function, key))
    assert found is not None
    return found.node.position
