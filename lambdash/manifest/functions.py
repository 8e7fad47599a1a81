"""One function of the manifest: its entry, `defaults` and the project's settings made one value."""

import re
from dataclasses import dataclass
from pathlib import Path

from lambdash.manifest import environment, runtimes
from lambdash.manifest.connections import connections_of
from lambdash.manifest.diagnosis import validated
from lambdash.manifest.document import Entry, Mapping
from lambdash.manifest.environment import EnvironmentFiles, Overrides
from lambdash.manifest.grammar import NAME_PATTERN, FunctionEntry, Project, Settings
from lambdash.manifest.layers import DeclaredLayer, layers_of
from lambdash.manifest.places import Places
from lambdash.manifest.problems import Position, Reporter, did_you_mean, shown
from lambdash.manifest.sources import Subject, source_of
from lambdash.manifest.values import Values
from lambdash.model import Function, FunctionConfiguration, ImageConfig, LoggingConfig, Scaling
from lambdash.model.connections import Connections

_CODE_ONLY = ("runtime", "handler", "base_image", "layers")
_BOOTSTRAP = "bootstrap"
_SUGGESTED = ("python3.13", "nodejs22.x", "provided.al2023")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all functions of a manifest are assembled from besides their own entries."""

    folder: Path
    project: Project
    defaults: Settings
    shared_variables: dict[str, str]
    environment_files: EnvironmentFiles
    overrides: Overrides
    layers: dict[str, DeclaredLayer]
    places: Places


def assemble(name: str, entry: Entry, around: Surroundings, values: Values) -> Function | None:
    """The function, or None when something in it is wrong (which is reported)."""
    reporter = values.reporter
    if not re.fullmatch(NAME_PATTERN, name):
        reporter.report(
            "bad-function-name",
            entry.key_position,
            f"{shown(name)} is not a function name",
            "1 to 64 letters, digits, `-` and `_`",
        )
    node = entry.node
    if node.broken:
        return None
    if not isinstance(node, Mapping):
        if values.entry(entry, ("functions", name)) is not None:
            reporter.report(
                "wrong-type",
                node.position,
                f"function {shown(name)} must be a mapping",
                "write `{code: ./folder, handler: app.handler}`",
            )
        return None
    event_sources = node.entries.get("event_sources")
    if event_sources is not None:
        rest = {key: value for key, value in node.entries.items() if key != "event_sources"}
        node = Mapping(node.position, rest)
    own = validated(FunctionEntry, node, ("functions", name), values)
    subject = Subject(name, entry.key_position, node, own, around.folder, reporter)
    connections = connections_of(subject, event_sources, around.places, values)
    return _function(subject, around, connections)


def _function(subject: Subject, around: Surroundings, connections: Connections) -> Function | None:
    own, settings = subject.own, _settings(subject.own, around.defaults)
    source = source_of(subject)
    has_code = "code" in subject.node.entries
    runtime, handler = _program(subject, settings) if has_code else (None, None)
    if has_code:
        subject.refuse(("image_config",), "goes with `image` or `build`, not with `code`")
    elif source is not None:
        subject.refuse(_CODE_ONLY, "goes with `code`; an image brings its own")
    layers = layers_of(subject, settings, around.layers) if has_code else ()
    variables = _variables(subject, around)
    if source is None:
        return None
    configuration = FunctionConfiguration(
        function_name=subject.name,
        runtime=runtime,
        handler=handler,
        architecture=settings.architecture,
        memory_size_mb=settings.memory_size,
        timeout_s=settings.timeout,
        ephemeral_storage_mb=settings.ephemeral_storage,
        cpu_proportional=settings.cpu == "proportional",
        freeze=settings.freeze,
        environment=tuple(sorted(variables.items())),
        image_config=_image_config(own),
        base_image=own.base_image,
        network=settings.network or around.project.network,
        extra_hosts=_extra_hosts(settings, around.project),
        description=own.description,
        logging=_logging(subject, settings),
    )
    scaling = Scaling(
        max_environments=settings.max_environments,
        reserved_concurrent_executions=own.reserved_concurrent_executions,
        provisioned_concurrent_executions=own.provisioned_concurrent_executions,
        keep_alive_s=settings.keep_alive,
    )
    return Function(configuration, source, scaling, subject.position.line, layers, connections)


def _settings(own: FunctionEntry, defaults: Settings) -> Settings:
    """The function's own settings, and those of ``defaults`` where it has none."""
    names = own.model_fields_set & Settings.model_fields.keys()
    return defaults.model_copy(update={name: getattr(own, name) for name in names})


def _extra_hosts(settings: Settings, project: Project) -> tuple[str, ...]:
    """A list given nearer to the function replaces one given further away; it may be empty."""
    nearest = settings if "extra_hosts" in settings.model_fields_set else project
    return tuple(nearest.extra_hosts)


def _program(subject: Subject, settings: Settings) -> tuple[str | None, str | None]:
    """Runtime and handler of a zip package; AWS requires both."""
    runtime, handler = settings.runtime, settings.handler
    if runtime is None and "runtime" not in subject.node.entries:
        subject.report(
            "no-runtime",
            subject.position,
            f"function {shown(subject.name)} has no runtime",
            "add `runtime: python3.13`, here or in `defaults`",
        )
    elif subject.own.runtime is not None:
        check_runtime(runtime or "", subject.place("runtime"), subject.reporter)
    if handler is None and runtime is not None and runtimes.is_os_only(runtime):
        return runtime, _BOOTSTRAP
    if handler is None and "handler" not in subject.node.entries:
        subject.report(
            "no-handler",
            subject.position,
            f"function {shown(subject.name)} has no handler",
            "add what the runtime calls, such as `handler: app.handler`",
        )
    return runtime, handler


def check_runtime(runtime: str, position: Position, reporter: Reporter) -> None:
    """Report a runtime AWS does not run, or not any more."""
    if runtime in runtimes.KNOWN:
        return
    if runtime in runtimes.RETIRED:
        message = f"AWS has retired the runtime {shown(runtime)}"
        hint = f"move to `{runtimes.RETIRED[runtime]}`"
        reporter.report("runtime-retired", position, message, hint)
        return
    known = ", ".join(f"`{name}`" for name in _SUGGESTED)
    # what begins so is of one family, the newest last: `python` asks for that
    begun = [name for name in runtimes.CURRENT if runtime and name.startswith(runtime)]
    near = f"did you mean `{begun[-1]}`?" if begun else did_you_mean(runtime, runtimes.CURRENT)
    hint = near or f"AWS runs {known} and others"
    reporter.report("runtime-unknown", position, f"unknown runtime {shown(runtime)}", hint)


def _image_config(own: FunctionEntry) -> ImageConfig | None:
    config = own.image_config
    if config is None:
        return None
    return ImageConfig(
        entry_point=None if config.entry_point is None else tuple(config.entry_point),
        command=None if config.command is None else tuple(config.command),
        working_directory=config.working_directory,
    )


def _logging(subject: Subject, settings: Settings) -> LoggingConfig:
    """Levels filter JSON alone; AWS refuses them beside the text format, and so do we."""
    given = settings.logging_config
    levels = (given.application_log_level, given.system_log_level)
    if given.log_format == "Text" and any(levels):
        subject.report(
            "log-level-needs-json",
            subject.place("logging_config"),
            f"function {shown(subject.name)} has log levels and the log format `Text`",
            "add `log_format: JSON`, or remove the levels",
        )
    application, system = (level or "INFO" for level in levels)
    return LoggingConfig(given.log_format, application, system, given.log_group)


def _variables(subject: Subject, around: Surroundings) -> dict[str, str]:
    """All variables by precedence (see ``environment``), none that AWS refuses."""
    entries = subject.node.entries
    merged = {
        **around.shared_variables,
        **around.environment_files.variables(subject.own.env_file, entries.get("env_file")),
        **environment.declared(
            subject.own.environment, entries.get("environment"), subject.reporter
        ),
        **around.overrides.of(subject.name),
    }
    own = entries.get("environment")
    position = own.key_position if own else subject.position
    environment.check_size(subject.name, merged, position, subject.reporter)
    return merged
