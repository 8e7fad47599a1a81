"""The shared libraries that programs of this machine need, and where an image must hold them."""

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lambdash import limits
from lambdash.engines.images.layout import Layout, Link
from lambdash.errors import PlatformError

_RESOLVED = re.compile(r"^\t(?:\S+ => )?(/\S+) \(0x")
_SYSTEM_ROOTS = ("/lib", "/usr/lib")
# opened at run time by the C library itself, so no program lists them
_OPENED_LATER = ("libnss_files.so.2", "libnss_dns.so.2")
# what a wheel may take for granted of any system: https://peps.python.org/pep-0599/#the-manylinux2014-policy
_PROMISED_TO_WHEELS = (
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libnsl.so.1",
    "libutil.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
)
_ROOT_LINKS = ("lib", "lib32", "lib64", "libx32")


@dataclass(frozen=True, slots=True)
class Closure:
    """``libraries`` by the paths the loader finds them at, the dynamic loader among them."""

    libraries: tuple[Path, ...]
    libc_folder: Path

    def lay_into(self, layout: Layout) -> None:
        """Each library at its own path; those of no system folder in ``/var/lang/lib`` too.

        The loader of this machine has its own default folders built in, so a link beside the C
        library makes every library found whatever ``LD_LIBRARY_PATH`` says.
        """
        for name in _ROOT_LINKS:
            if Path("/", name).is_symlink():
                layout.add(f"/{name}", Link(os.readlink(f"/{name}")))
        for library in self.libraries:
            folder = Path(os.path.realpath(library.parent))
            if str(library).startswith(_SYSTEM_ROOTS) or str(folder).startswith(_SYSTEM_ROOTS):
                layout.add_file(str(folder / library.name), library)
            else:
                layout.add_file(f"/var/lang/lib/{library.name}", library)
                beside_libc = f"{self.libc_folder}/{library.name}"
                layout.add(beside_libc, Link(f"/var/lang/lib/{library.name}"))
        for name in (*_OPENED_LATER, *_PROMISED_TO_WHEELS):
            if (self.libc_folder / name).is_file():
                layout.add_file(f"{self.libc_folder}/{name}", self.libc_folder / name)


def closure_of(programs: Sequence[Path]) -> Closure:
    """What ``ldd`` resolves for programs of this machine. Static ones need nothing.

    A library that is missing here is left out: the optional module that wants it fails in the
    image as it does on this machine.

    Raises:
        PlatformError: ``host-image-failed`` when there is no ``ldd`` or it does not answer.
    """
    try:
        run = subprocess.run(
            ["ldd", *map(str, programs)],  # noqa: S607 - the ldd of whichever C library is here
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            timeout=limits.LIBRARY_LOOKUP_MAX_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        hint = "an image can be made from this machine only where ldd works (Linux with glibc)"
        raise PlatformError("host-image-failed", f"ldd failed: {error}", hint) from error
    found = (_RESOLVED.match(line) for line in run.stdout.splitlines())
    libraries = sorted({Path(match[1]) for match in found if match is not None})
    libc = next((path for path in libraries if path.name.startswith("libc.so")), None)
    if libc is None:
        hint = "an image can be made only from a machine whose programs use glibc"
        raise PlatformError("host-image-failed", "no C library was found by ldd", hint)
    return Closure(tuple(libraries), Path(os.path.realpath(libc.parent)))
