"""Where a function's code is: a folder, an image, or a Dockerfile; and that it is there."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lambdash.manifest.document import Mapping, entry_at
from lambdash.manifest.files import is_there
from lambdash.manifest.grammar import Build, FunctionEntry
from lambdash.manifest.problems import Position, Reporter, shown
from lambdash.model import DockerfileSource, FolderSource, FunctionSource, ImageSource

_KEYS = ("code", "image", "build")


@dataclass(frozen=True, slots=True)
class Subject:
    """One function while it is looked at: its entry as nodes and as model.

    ``folder`` is where the manifest lies.
    """

    name: str
    position: Position
    node: Mapping
    own: FunctionEntry
    folder: Path
    reporter: Reporter

    def place(self, *path: str) -> Position:
        """Where the value at a path of keys stands; the function's own key when it has none."""
        entry = entry_at(self.node, path)
        return entry.node.position if entry else self.position

    def report(self, code: str, position: Position, message: str, hint: str = "") -> None:
        self.reporter.report(code, position, message, hint)

    def refuse(self, keys: Iterable[str], why: str) -> None:
        """Report each of these keys that the function itself sets."""
        for key in keys:
            if key in self.node.entries:
                position = self.node.entries[key].key_position
                self.report("key-without-use", position, f"{shown(key)} {why}", "remove it")


def source_of(subject: Subject) -> FunctionSource | None:
    """The one source, or None when there is none to use (which is reported)."""
    given = [key for key in _KEYS if key in subject.node.entries]
    named = shown(subject.name)
    if not given:
        subject.report(
            "no-code",
            subject.position,
            f"function {named} has no code",
            "give it one of `code`, `image` and `build`",
        )
        return None
    for extra in given[1:]:
        subject.report(
            "several-codes",
            subject.node.entries[extra].key_position,
            f"function {named} has `{given[0]}` and `{extra}`",
            "keep exactly one of `code`, `image` and `build`",
        )
    sources = [_folder(subject), _image(subject), _dockerfile(subject)]
    return next((source for source in sources if source is not None), None)


def _folder(subject: Subject) -> FolderSource | None:
    if subject.own.code is None:
        return None
    path = subject.folder / subject.own.code
    if is_there(path.is_dir):
        return FolderSource(path)
    there = is_there(path.exists)
    wrong = "is not a folder" if there else "does not exist"
    hint = "a zip file is not supported yet; name the folder" if there else ""
    subject.report(
        "code-not-found",
        subject.place("code"),
        f"the code folder {shown(subject.own.code)} {wrong}",
        hint or "paths are relative to the manifest",
    )
    return None


def _image(subject: Subject) -> ImageSource | None:
    return None if subject.own.image is None else ImageSource(subject.own.image)


def _dockerfile(subject: Subject) -> DockerfileSource | None:
    build = subject.own.build
    if build is None:
        return None
    dockerfile, context = _dockerfile_paths(build, subject.folder)
    if not is_there(dockerfile.is_file):
        subject.report(
            "dockerfile-not-found",
            subject.place("build", "dockerfile"),
            f"the Dockerfile {shown(build.dockerfile or dockerfile.name)} does not exist",
            "paths are relative to the manifest",
        )
    elif not is_there(context.is_dir):
        subject.report(
            "context-not-found",
            subject.place("build", "context"),
            f"the build context {shown(build.context)} is not a folder",
            "paths are relative to the manifest",
        )
    return DockerfileSource(context, dockerfile, build.target, tuple(sorted(build.args.items())))


def _dockerfile_paths(build: Build, folder: Path) -> tuple[Path, Path]:
    """Each defaults to the other's place: a context's ``Dockerfile``, a Dockerfile's folder."""
    if build.dockerfile is None:
        context = folder / (build.context or ".")
        return context / "Dockerfile", context
    dockerfile = folder / build.dockerfile
    return dockerfile, dockerfile.parent if build.context is None else folder / build.context
