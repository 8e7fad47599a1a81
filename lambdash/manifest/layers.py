"""The layers of functions: declared once by name, or named where they lie."""

import re
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from pathlib import Path

from lambdash import limits
from lambdash.manifest import runtimes
from lambdash.manifest.document import Mapping, entry_at
from lambdash.manifest.files import is_there
from lambdash.manifest.grammar import LayerEntry, Settings
from lambdash.manifest.problems import Position, Reporter, did_you_mean, shown
from lambdash.manifest.sources import Subject
from lambdash.model import LayerSource

_NAME = re.compile(rf"[a-zA-Z0-9_-]{{1,{limits.LAYER_NAME_MAX_CHARS}}}")
_ARN = "arn:"


@dataclass(frozen=True, slots=True)
class DeclaredLayer:
    """A layer with what it is for; no runtime or architecture stands for any."""

    source: LayerSource
    entry: LayerEntry


def declared(
    entries: MappingType[str, LayerEntry], root: Mapping, folder: Path, reporter: Reporter
) -> dict[str, DeclaredLayer]:
    """The layers of the manifest's own ``layers``; what is wrong with one is reported."""
    found = {}
    for name, entry in entries.items():
        place = entry_at(root, ("layers", name))
        assert place is not None, "the model was made of these nodes"
        if not _NAME.fullmatch(name):
            message = f"{shown(name)} is not a layer name"
            hint = f"1 to {limits.LAYER_NAME_MAX_CHARS} letters, digits, `-` and `_`"
            reporter.report("bad-layer-name", place.key_position, message, hint)
        if entry.code is None:
            if isinstance(place.node, Mapping) and "code" not in place.node.entries:
                message = f"layer {shown(name)} has no `code`"
                hint = "name a folder, or a zip archive, of what is found at `/opt`"
                reporter.report("missing-key", place.key_position, message, hint)
            continue
        code = entry_at(root, ("layers", name, "code"))
        assert code is not None, "the model was made of these nodes"
        _check_runtimes(entry, name, root, reporter)
        path = folder / entry.code
        _check_there(path, entry.code, code.node.position, reporter)
        found[name] = DeclaredLayer(LayerSource(name, path), entry)
    return found


def _check_runtimes(entry: LayerEntry, name: str, root: Mapping, reporter: Reporter) -> None:
    """A layer may be for runtimes that AWS has retired; functions may not have them."""
    for index, runtime in enumerate(entry.compatible_runtimes):
        place = entry_at(root, ("layers", name, "compatible_runtimes", index))
        if runtime not in runtimes.KNOWN and runtime not in runtimes.RETIRED and place:
            hint = did_you_mean(runtime, runtimes.CURRENT)
            message = f"unknown runtime {shown(runtime)}"
            reporter.report("runtime-unknown", place.node.position, message, hint)


def layers_of(
    subject: Subject, settings: Settings, known: MappingType[str, DeclaredLayer]
) -> tuple[LayerSource, ...]:
    """The function's layers in order; what is wrong with one is reported."""
    found: list[LayerSource] = []
    for index, text in enumerate(settings.layers):
        entry = entry_at(subject.node, ("layers", index))
        position = entry.node.position if entry else subject.position
        layer = _layer(subject, text, position, known)
        if layer is None:
            continue
        if layer.source in found:
            message = f"the layer {shown(text)} stands twice in function {shown(subject.name)}"
            subject.report("layer-twice", position, message, "remove one")
            continue
        _check_compatible(subject, settings, layer, position)
        found.append(layer.source)
    return tuple(found)


def _layer(
    subject: Subject, text: str, position: Position, known: MappingType[str, DeclaredLayer]
) -> DeclaredLayer | None:
    if text in known:
        return known[text]
    if text.startswith(_ARN):
        message = f"the layer ARN {shown(text)} is not supported yet"
        hint = "name a folder or a zip archive; AWS's own layers can be downloaded as one"
        subject.report("not-supported-yet", position, message, hint)
        return None
    if "/" not in text and not text.endswith(".zip") and not text.startswith("."):
        hint = did_you_mean(text, known) or "declare it in `layers:`, or write `./folder`"
        subject.report("layer-unknown", position, f"there is no layer {shown(text)}", hint)
        return None
    path = subject.folder / text
    _check_there(path, text, position, subject.reporter)
    return DeclaredLayer(LayerSource(text, path), LayerEntry())


def _check_there(path: Path, text: str, position: Position, reporter: Reporter) -> None:
    if is_there(path.is_dir) or (path.suffix == ".zip" and is_there(path.is_file)):
        return
    there = is_there(path.exists)
    wrong = "is neither a folder nor a zip archive" if there else "does not exist"
    hint = "" if there else "paths are relative to the manifest"
    reporter.report("layer-not-found", position, f"the layer {shown(text)} {wrong}", hint)


def _check_compatible(
    subject: Subject, settings: Settings, layer: DeclaredLayer, position: Position
) -> None:
    """AWS lists such a layer under other runtimes; here it would fail at run time, far away."""
    for what, own, allowed in (
        ("runtime", settings.runtime, layer.entry.compatible_runtimes),
        ("architecture", settings.architecture, layer.entry.compatible_architectures),
    ):
        if own is not None and allowed and own not in allowed:
            names = ", ".join(f"`{name}`" for name in allowed)
            subject.report(
                "layer-incompatible",
                position,
                f"the layer {shown(layer.source.name)} is for {names}, and function "
                f"{shown(subject.name)} has the {what} {shown(own)}",
                f"choose another layer, or add it to the layer's `compatible_{what}s`",
            )
