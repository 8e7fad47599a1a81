import asyncio
import marshal
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import CodeType

import pytest

from lambdash import limits
from lambdash.model import ZipPackage
from lambdash.packaging import Builder, PackageStore
from lambdash.packaging.bytecode import Compiler, Compilers, compile_tree, without_stale_bytecode
from lambdash.packaging.compile_modules import identity
from lambdash.packaging.target import Target
from lambdash.packaging.tree import Entry
from tests.packaging.conftest import LaterClock, function
from tests.packaging.test_python_dependencies import make_wheel, offline

RUNTIME = f"python3.{sys.version_info.minor}"
TAG = sys.implementation.cache_tag
FILES = {
    "lib/__init__.py": "from lib.part import name\nEXAMPLES = {'a', 'b', None}\n",
    "lib/part.py": "def name(self):\n    return 'part' if self in {'x', 'y'} else name.__code__\n",
    "lib/python2.py": "print 'no'\n",
    "lib/template.py": "{{ name }}\0",
    "single.py": "name = 'theirs'\n",
}


@pytest.fixture
def environ(folder: Path, tmp_path: Path) -> Mapping[str, str]:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "lib", "py3-none-any", FILES)
    (folder / "requirements.txt").write_text("lib\n")
    return offline(wheels)


def ours(runtime: str) -> Path | None:
    return Path(sys.executable) if runtime == RUNTIME else None


def nothing(runtime: str) -> Path | None:
    return None


Make = Callable[[Callable[[str], Path | None]], Builder]


@pytest.fixture
def make(store: PackageStore, clock: LaterClock, environ: Mapping[str, str]) -> Make:
    return lambda find: Builder(store, clock, environ, Compilers({}, find))


class Said:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> None:
        self.texts.append(text)


async def build(builder: Builder, folder: Path) -> tuple[ZipPackage, list[str]]:
    said: list[str] = []
    package = await builder.build(
        function(folder, RUNTIME), lambda progress: said.append(progress.text)
    )
    return package, said


def bytecode(tree: Path) -> dict[str, bytes]:
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*.pyc")}


async def test_dependencies_are_compiled_and_the_source_is_not(
    make: Make, store: PackageStore, folder: Path
) -> None:
    package, said = await build(make(ours), folder)
    tree = store.tree_path(package)
    found = bytecode(tree)
    assert set(found) == {
        f"lib/__pycache__/__init__.{TAG}.pyc",
        f"lib/__pycache__/part.{TAG}.pyc",
        f"__pycache__/single.{TAG}.pyc",
    }
    assert "compiled 3 modules" in said
    content = found[f"lib/__pycache__/part.{TAG}.pyc"]
    code = marshal.loads(content[16:])
    assert isinstance(code, CodeType)
    assert content[4:8] == b"\x01\0\0\0"  # PEP 552: unchecked hash
    assert code.co_filename == "/var/task/lib/part.py"
    assert (tree / f"lib/__pycache__/part.{TAG}.pyc").stat().st_mode & 0o777 == 0o444
    everything = (path for path in tree.rglob("*") if path.is_file())
    assert package.size_bytes == sum(path.stat().st_size for path in everything)


async def test_the_bytecode_is_what_an_import_loads(
    make: Make, store: PackageStore, folder: Path
) -> None:
    tree = store.tree_path((await build(make(ours), folder))[0])
    script = f"import sys; sys.path.insert(0, {str(tree)!r}); import lib, single"
    ran = subprocess.run(
        [sys.executable, "-B", "-v", "-c", script], capture_output=True, text=True, check=True
    )
    for name in ("lib/__pycache__/part", "__pycache__/single"):
        assert f"code object from '{tree}/{name}.{TAG}.pyc'" in ran.stderr


async def test_an_edit_compiles_nothing(make: Make, store: PackageStore, folder: Path) -> None:
    builder = make(ours)
    first, _ = await build(builder, folder)
    (folder / "app.py").write_text("x = 2\n")
    second, said = await build(builder, folder)
    assert not any("compiled" in text for text in said)
    name = f"lib/__pycache__/part.{TAG}.pyc"
    assert (store.tree_path(first) / name).samefile(store.tree_path(second) / name)


async def test_with_and_without_a_compiler_are_two_trees_of_one_store(
    make: Make, store: PackageStore, folder: Path
) -> None:
    with_compiler, without = make(ours), make(nothing)
    wanted = function(folder, RUNTIME)
    assert with_compiler.fingerprint(wanted) != without.fingerprint(wanted)
    compiled, _ = await build(with_compiler, folder)
    plain, said = await build(without, folder)
    assert bytecode(store.tree_path(compiled))
    assert not bytecode(store.tree_path(plain))
    assert not any("compiled" in text for text in said)
    assert len(list((store.root / "dependencies").iterdir())) == 2


def test_the_switch() -> None:
    target = Target.of(RUNTIME, "x86_64")
    assert Compilers({"LAMBDASH_BYTECODE": "0"}, ours).compiler(target) is None
    assert Compilers({"LAMBDASH_BYTECODE": "1"}, ours).compiler(target) == Compiler(
        Path(sys.executable), identity()
    )


@pytest.mark.parametrize("runtime", ["nodejs20.x", "provided.al2023", "python3.99"])
def test_nothing_is_looked_for_where_nothing_is_compiled(runtime: str) -> None:
    asked: list[str] = []
    compilers = Compilers({}, asked.append)
    assert compilers.compiler(Target.of(runtime, "x86_64")) is None
    assert asked == []


def test_an_interpreter_is_looked_for_once() -> None:
    asked: list[str] = []

    def find(runtime: str) -> Path:
        asked.append(runtime)
        return Path(sys.executable)

    compilers = Compilers({}, find)
    for architecture in ("x86_64", "arm64"):
        assert compilers.compiler(Target.of(RUNTIME, architecture)) is not None
    assert asked == [RUNTIME]


async def test_bytes_depend_on_the_sources_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {f"m{number}.py": f"from m{number + 1} import x\n" for number in range(8)}
    modules["sets.py"] = "def f(x):\n    return x in {'randint', 'choice', 'seed', None}\n"
    modules["names.py"] = "randint = seed = 1\nNAMES = ('choice', 'randint')\n"
    found = []
    for name, per_worker in (("one", 100), ("elsewhere/two", 1)):
        monkeypatch.setattr(limits, "BYTECODE_MODULES_PER_WORKER_MIN", per_worker)
        tree = tmp_path / name
        tree.mkdir(parents=True)
        for path, content in modules.items():
            (tree / path).write_text(content)
        assert await compile_tree(Compiler(Path(sys.executable), identity()), tree, Said())
        found.append(bytecode(tree))
    assert found[0] == found[1]
    assert len(found[0]) == len(modules)


def interpreter(folder: Path, compiling: str) -> Path:
    """A program that says who it is as ours does, and then does ``compiling``."""
    path = folder / "python"
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *" -c "*) echo {identity()};; *) {compiling};; esac\n'
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("compiling", "reason"),
    [
        ("echo out of memory; exit 1", "exit code 1: out of memory"),
        ("kill -SEGV $$", "exit code -11"),
        ("echo good day", "exit code 0: good day"),
        ("cat", "exit code 0"),
        ("mkdir ${8}/__pycache__ && exit 1", "exit code 1"),
        (f"exec {sys.executable} $1 $2 $3 $4 $5 $6 other $8 $9 0 1", "exit code 3"),
        ("exec tail -f /dev/null", "`python` took over 1 s"),
    ],
)
async def test_a_failing_compiler_fails_no_build(
    make: Make,
    store: PackageStore,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    compiling: str,
    reason: str,
) -> None:
    monkeypatch.setattr(limits, "BYTECODE_TIMEOUT_S", 1.0)
    broken = make(lambda runtime: interpreter(folder.parent, compiling))
    package, said = await build(broken, folder)
    assert any(text.startswith("left uncompiled: ") and reason in text for text in said)
    assert "installed" in said
    tree = store.tree_path(package)
    assert (tree / "lib/part.py").is_file()
    assert not list(tree.rglob("__pycache__"))
    assert not list((store.root / "staging").iterdir())


async def test_an_interpreter_that_vanished_fails_no_build(make: Make, folder: Path) -> None:
    path = interpreter(folder.parent, "exit 1")
    builder = make(lambda runtime: path)
    builder.fingerprint(function(folder, RUNTIME))
    path.unlink()
    _, said = await build(builder, folder)
    assert any(text.startswith("left uncompiled: ") for text in said)


def test_what_cannot_say_who_it_is_compiles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "python"
    target = Target.of(RUNTIME, "x86_64")
    assert Compilers({}, lambda runtime: path).compiler(target) is None
    path.write_text("#!/bin/sh\nexit 1\n")
    path.chmod(0o755)
    assert Compilers({}, lambda runtime: path).compiler(target) is None


async def test_a_failure_is_not_remembered_by_the_store(
    make: Make, store: PackageStore, folder: Path
) -> None:
    broken, _ = await build(make(lambda _: interpreter(folder.parent, "exit 1")), folder)
    repaired, _ = await build(make(ours), folder)
    assert not bytecode(store.tree_path(broken))
    assert bytecode(store.tree_path(repaired))


async def test_a_cancelled_build_leaves_nothing(
    make: Make, store: PackageStore, folder: Path
) -> None:
    fifo = folder.parent / "started"
    os.mkfifo(fifo)
    path = interpreter(folder.parent, f"echo $$ > {fifo}; exec tail -f /dev/null")
    task = asyncio.create_task(build(make(lambda runtime: path), folder))
    process = int(await asyncio.to_thread(fifo.read_text))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert not list((store.root / "staging").iterdir())


async def test_a_replaced_module_leaves_no_bytecode_behind(
    make: Make, store: PackageStore, folder: Path
) -> None:
    (folder / "single.py").write_text("name = 'mine'\n")
    (folder / "lib").mkdir()
    (folder / "lib" / "part.py").write_text("name = 'mine'\n")
    package, _ = await build(make(ours), folder)
    tree = store.tree_path(package)
    assert set(bytecode(tree)) == {f"lib/__pycache__/__init__.{TAG}.pyc"}
    script = (
        f"import sys; sys.path.insert(0, {str(tree)!r}); import lib, single\n"
        "print(lib.name, single.name)"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "mine mine\n"


@pytest.mark.parametrize(
    ("above", "kept"),
    [
        ("other.py", {"a", "b", "c"}),
        ("a.py", {"b", "c"}),
        ("p/b.py", {"a", "c"}),
        ("p/b.c.py", {"a", "b"}),
        ("b.py", {"a", "b", "c"}),
    ],
)
def test_bytecode_goes_with_its_module(above: str, kept: set[str]) -> None:
    caches = {
        "a": "__pycache__/a.cpython-312.pyc",
        "b": "p/__pycache__/b.cpython-312.pyc",
        "c": "p/__pycache__/b.c.cpython-312.pyc",
    }
    paths = ["a.py", "p/b.py", "p/b.c.py", *caches.values()]
    below = {path: Entry(path, 0o644, 1, "") for path in paths}
    found = without_stale_bytecode(below, [above])
    assert {name for name, path in caches.items() if path in found} == kept
    assert {"a.py", "p/b.py", "p/b.c.py"} <= set(found)


async def test_what_is_too_large_with_bytecode_goes_without(
    make: Make, store: PackageStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _ = await build(make(nothing), folder)
    monkeypatch.setattr(limits, "UNZIPPED_PACKAGE_MAX_BYTES", plain.size_bytes)
    package, said = await build(make(ours), folder)
    assert package == plain
    assert any("the compiled modules are left out" in text for text in said)
