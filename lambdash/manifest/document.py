"""YAML text to a tree of nodes that know their place, bounded while it grows.

The parser's events are composed here rather than by PyYAML, so that depth, size and alias
expansion are counted *before* anything is built: an alias adds the size of what it stands for to a
running total (the size the document would have written out), and the first event past a bound ends
the reading. Nothing is constructed from tags.
"""

import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from lambdash import limits
from lambdash.manifest.problems import START, Halt, Position, Reporter, shown

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_ALLOWED_TAGS = {None, "!", _STANDARD + "str", _STANDARD + "map", _STANDARD + "seq"}
# what YAML 1.1 allows in a stream, and what C strings and UTF-8 can carry out of it
_UNPRINTABLE = re.compile(
    "[^\x09\x0a\x0d\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]"
)
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(slots=True)
class Scalar:
    """A scalar as written. ``plain`` means unquoted; ``end`` is where its source ends."""

    position: Position
    text: str
    plain: bool
    end: Position
    broken: bool = False
    nodes: int = 1
    height: int = 0
    chars: int = 0


@dataclass(slots=True)
class Sequence:
    """A list of nodes."""

    position: Position
    items: list["Node"] = field(default_factory=list)
    broken: bool = False
    nodes: int = 1
    height: int = 0
    chars: int = 0


@dataclass(slots=True)
class Mapping:
    """Nodes by key, merge keys already followed. A key is its source text, whatever YAML thinks."""

    position: Position
    entries: dict[str, "Entry"] = field(default_factory=dict)
    broken: bool = False
    nodes: int = 1
    height: int = 0
    chars: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a mapping and where its key stands."""

    key_position: Position
    node: "Node"


Node: TypeAlias = Scalar | Sequence | Mapping
Path: TypeAlias = tuple[str | int, ...]


def compose(text: str, reporter: Reporter) -> Mapping:
    """The document's root. Raises ``Halt`` once no more can be learned; lesser problems are
    reported and leave ``broken`` nodes behind."""
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        raise reporter.halt(
            "not-yaml",
            position_at(text, unprintable.start()),
            f"the control character U+{ord(unprintable[0]):04X} is not allowed in YAML",
            "delete it",
        )
    try:
        return _Composer(_LOADER(text), reporter).document()
    except yaml.MarkedYAMLError as error:
        # the only other YAMLError is the reader's, about the characters refused above
        raise _syntax_problem(text, error, reporter) from error


def position_at(text: str, offset: int) -> Position:
    """The line and column of a character offset."""
    before = text[:offset]
    line_start = before.rfind("\n") + 1
    return Position(before.count("\n") + 1, offset - line_start + 1)


def entry_at(root: Mapping, path: Path) -> Entry | None:
    """The entry a path of keys and indexes leads to, or the nearest one above it."""
    entry: Entry | None = None
    node: Node = root
    for step in path:
        match node, step:
            case Mapping(entries=entries), _ if str(step) in entries:
                entry = entries[str(step)]
            case Sequence(items=items), int() if step < len(items):
                entry = Entry(items[step].position, items[step])
            case _:
                return entry
        node = entry.node
    return entry


def _syntax_problem(text: str, error: yaml.MarkedYAMLError, reporter: Reporter) -> Halt:
    mark = error.problem_mark or error.context_mark
    position = Position(mark.line + 1, mark.column + 1) if mark else START
    lines = text.splitlines()
    line = lines[position.line - 1] if position.line <= len(lines) else ""
    if line[position.column - 1 : position.column] == "\t":
        return reporter.halt(
            "not-yaml", position, "a tab cannot indent YAML", "use spaces for indentation"
        )
    context = f" {error.context}" if error.context else ""
    message = f"not valid YAML: {error.problem or 'it cannot be parsed'}{context}"
    hint = ""
    if "mapping values are not allowed" in message:
        hint = "a value that contains `: ` needs quotes, and keys of one mapping the same indent"
    elif "cannot start any token" in message:
        hint = (
            f"put quotes around a value that starts with {shown(line[position.column - 1 :][:1])}"
        )
    return reporter.halt("not-yaml", position, message, hint)


class _Composer:
    """Turns one stream of events into nodes; ``total`` counts them as if aliases were copies."""

    def __init__(self, loader: Any, reporter: Reporter) -> None:
        self._loader = loader
        self._reporter = reporter
        self._anchors: dict[str, Node | None] = {}
        self._nodes = 0
        self._chars = 0

    def document(self) -> Mapping:
        self._loader.get_event()
        event = self._loader.get_event()
        if isinstance(event, yaml.StreamEndEvent):
            raise self._halt("empty-file", event, "the file is empty", "begin with `version: 1`")
        first = self._loader.get_event()
        root = self._node(first, 1)
        self._loader.get_event()
        following = self._loader.get_event()
        if not isinstance(following, yaml.StreamEndEvent):
            self._report(
                "several-documents",
                following,
                "a second YAML document begins here",
                "keep one document in a manifest",
            )
        if not isinstance(root, Mapping):
            raise self._halt(
                "wrong-type",
                first,
                "a manifest is a mapping of keys to values",
                "begin with `version: 1`",
            )
        return root

    def _node(self, event: Any, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        nodes, chars = self._nodes, self._chars
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = None
        if depth > limits.MANIFEST_MAX_DEPTH:
            raise self._too_deep(event)
        self._count(event, 1, 0)
        node = self._collection_or_scalar(event, depth)
        node.nodes, node.chars = self._nodes - nodes, self._chars - chars
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _collection_or_scalar(self, event: Any, depth: int) -> Node:
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if event.tag not in _ALLOWED_TAGS:
            node.broken = True
            self._refuse_tag(event)
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        text = event.value
        self._count(event, 0, len(text))
        plain = event.style in (None, "") and event.tag is None
        scalar = Scalar(_position(event.start_mark), text, plain, _position(event.end_mark))
        if _UNUSABLE.search(text):
            scalar.broken = True
            self._report("bad-character", event, "NUL and lone surrogates cannot be used in text")
        return scalar

    def _sequence(self, event: Any, depth: int) -> Sequence:
        sequence = Sequence(_position(event.start_mark))
        while not isinstance(child := self._loader.get_event(), yaml.SequenceEndEvent):
            node = self._node(child, depth + 1)
            sequence.items.append(node)
            sequence.height = max(sequence.height, node.height + 1)
            sequence.broken = sequence.broken or node.broken
        return sequence

    def _mapping(self, event: Any, depth: int) -> Mapping:
        mapping = Mapping(_position(event.start_mark))
        merged: list[Mapping] = []
        merge_line = 0
        while not isinstance(child := self._loader.get_event(), yaml.MappingEndEvent):
            key = self._node(child, depth + 1)
            value_event = self._loader.get_event()
            value = self._node(value_event, depth + 1)
            mapping.height = max(mapping.height, value.height + 1, key.height + 1)
            if not isinstance(key, Scalar):
                self._report("bad-key", child, "a key must be plain text, not a list or a mapping")
            elif key.plain and key.text == "<<":
                if merge_line:
                    self._report_duplicate(child, "<<", merge_line)
                merge_line = key.position.line
                merged += self._merge_sources(value, value_event)
            elif key.text in mapping.entries:
                self._report_duplicate(child, key.text, mapping.entries[key.text].key_position.line)
            else:
                mapping.entries[key.text] = Entry(_position(child.start_mark), value)
        for source in merged:
            for name, entry in source.entries.items():
                mapping.entries.setdefault(name, entry)
        return mapping

    def _merge_sources(self, value: Node, event: Any) -> list[Mapping]:
        candidates = value.items if isinstance(value, Sequence) else [value]
        sources = [candidate for candidate in candidates if isinstance(candidate, Mapping)]
        if len(sources) < len(candidates):
            self._report(
                "bad-merge",
                event,
                "`<<` merges a mapping or a list of mappings",
                "write `<<: *anchor`, where the anchor names a mapping",
            )
        return sources

    def _alias(self, event: Any, depth: int) -> Node:
        if event.anchor not in self._anchors:
            raise self._halt(
                "unknown-alias",
                event,
                f"no anchor {shown('&' + event.anchor)} above",
                "an alias (`*name`) repeats a value marked `&name` before it",
            )
        node = self._anchors[event.anchor]
        if node is None:
            raise self._halt(
                "recursive-alias",
                event,
                f"{shown('*' + event.anchor)} stands inside the value it repeats",
            )
        if depth + node.height > limits.MANIFEST_MAX_DEPTH:
            raise self._too_deep(event)
        self._count(event, node.nodes, node.chars)
        return node

    def _count(self, event: Any, nodes: int, chars: int) -> None:
        self._nodes += nodes
        self._chars += chars
        if self._nodes > limits.MANIFEST_MAX_NODES:
            raise self._halt(
                "too-big",
                event,
                f"more than {limits.MANIFEST_MAX_NODES} values, aliases written out",
                "an alias counts as often as it repeats what it names",
            )
        if self._chars > limits.MANIFEST_EXPANDED_MAX_CHARS:
            raise self._halt(
                "too-big",
                event,
                f"more than {limits.MANIFEST_EXPANDED_MAX_CHARS} characters, aliases written out",
                "an alias counts as often as it repeats what it names",
            )

    def _too_deep(self, event: Any) -> Halt:
        return self._halt(
            "too-deep", event, f"values are nested deeper than {limits.MANIFEST_MAX_DEPTH} levels"
        )

    def _refuse_tag(self, event: Any) -> None:
        name = event.tag.replace(_STANDARD, "!!")
        hint = "write the value without it"
        if not name.startswith("!!") and name.startswith("!"):
            hint = "CloudFormation's functions are not read here; write the value itself"
        self._report("tag-refused", event, f"the tag {shown(name)} is not allowed", hint)

    def _report_duplicate(self, event: Any, key: str, line: int) -> None:
        self._report(
            "duplicate-key",
            event,
            f"the key {shown(key)} stands here a second time",
            f"it is first on line {line}",
        )

    def _report(self, code: str, event: Any, message: str, hint: str = "") -> None:
        self._reporter.report(code, _position(event.start_mark), message, hint)

    def _halt(self, code: str, event: Any, message: str, hint: str = "") -> Halt:
        return self._reporter.halt(code, _position(event.start_mark), message, hint)


def _position(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)
