"""Where a project's things lie: manifest, runtime folder, socket, lock, state and log.

Plain strings and ``os`` only: a warm ``lambdash invoke`` imports this module and must start in
milliseconds (``pathlib`` and ``dataclasses`` would cost more than the invocation).
``lambdash.model.project`` wraps it for everyone who is not in such a hurry.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Mapping

from lambdash import limits
from lambdash.errors import CallerError, PlatformError

MANIFEST_NAMES = ("lambdash.yaml", "lambdash.yml")
STATE_FOLDER = ".lambdash"
LOG_NAME = "daemon.log"
JOURNAL_NAME = "journal.sqlite"
_NETWORK_FILE_SYSTEMS = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs"),
        *("gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"),
    }
)


def find_manifest(named: str | None, folder: str) -> str:
    """The manifest's absolute path: ``named`` (a file, or a folder that has one), or found upwards.

    Raises ``CallerError`` ``manifest-not-found``.
    """
    if named is not None:
        return _named_manifest(os.path.join(folder, os.path.expanduser(named)), named)
    start = os.path.abspath(folder)
    for candidate in _upwards(start):
        found = _manifest_in(candidate)
        if found is not None:
            return found
    raise CallerError(
        "manifest-not-found",
        f"there is no {MANIFEST_NAMES[0]} in {start} or above it",
        "`lambdash init` writes one; `-m FILE` or LAMBDASH_MANIFEST names one elsewhere",
    )


def _named_manifest(path: str, named: str) -> str:
    found = _manifest_in(path) if os.path.isdir(path) else path
    if found is None or not os.path.isfile(found):
        raise CallerError(
            "manifest-not-found",
            f"there is no manifest at {named}",
            "`-m` and LAMBDASH_MANIFEST take a manifest file, or a folder with a lambdash.yaml",
        )
    return os.path.abspath(found)


def _manifest_in(folder: str) -> str | None:
    for name in MANIFEST_NAMES:
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    return None


def _upwards(folder: str) -> Iterable[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def project_id(manifest: str) -> str:
    """12 hex digits of the manifest's real path: two spellings of one file are one project."""
    real = os.fsencode(os.path.realpath(manifest))
    return hashlib.sha256(real).hexdigest()[:12]


def runtime_directory(environ: Mapping[str, str]) -> str:
    """The folder of sockets and locks, private to this user.

    ``$XDG_RUNTIME_DIR/lambdash``, else ``<tempdir>/lambdash-<uid>``, else ``/tmp/lambdash-<uid>``:
    the first in which a socket's path stays within what the kernel can address.
    """
    own = f"lambdash-{os.getuid()}"
    session = environ.get("XDG_RUNTIME_DIR", "")
    temporary = environ.get("TMPDIR", "")
    candidates = [os.path.join(session, "lambdash")] if os.path.isdir(session) else []
    if os.path.isdir(temporary):
        candidates.append(os.path.join(os.path.abspath(temporary), own))
    for candidate in candidates:
        if _socket_fits(candidate):
            return candidate
    return os.path.join("/tmp", own)  # noqa: S108 - checked by `secure_directory` before any use


def _socket_fits(folder: str) -> bool:
    longest = os.path.join(folder, "0" * 12 + ".sock")
    return len(os.fsencode(longest)) <= limits.SOCKET_PATH_MAX_BYTES


def secure_directory(path: str, *, create: bool) -> bool:
    """Whether the folder is there and private; made with mode 0700 when ``create``.

    Raises ``PlatformError`` ``runtime-directory-unsafe`` for a folder that another user owns or can
    write, or a link: whoever controls the folder could answer in the daemon's place.
    """
    if create:
        os.makedirs(path, mode=0o700, exist_ok=True)
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o022
    if not private or status.st_uid != os.getuid():
        raise PlatformError(
            "runtime-directory-unsafe",
            f"{path} is not a folder that only this user can write",
            "remove it, or set XDG_RUNTIME_DIR to a folder of your own",
        )
    return True


def socket_path(manifest: str, environ: Mapping[str, str]) -> str:
    """Where the manifest's daemon listens when it runs."""
    return os.path.join(runtime_directory(environ), project_id(manifest) + ".sock")


def state_directory(manifest: str, environ: Mapping[str, str]) -> str:
    """``.lambdash`` beside the manifest's real file, or ``$XDG_STATE_HOME/lambdash/<id>``.

    The latter where the manifest's folder cannot be written or lies on a network file system
    (SQLite's write-ahead log needs memory shared with the file). Network file systems are told
    from ``/proc/self/mountinfo``, so on Linux only.
    """
    real = os.path.realpath(manifest)
    beside = os.path.join(os.path.dirname(real), STATE_FOLDER)
    if _is_writable(beside) and not _on_network(beside):
        return beside
    base = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME") or os.path.expanduser("~")
        base = os.path.join(home, ".local", "state")
    return os.path.join(base, "lambdash", project_id(manifest))


def store_directory(environ: Mapping[str, str]) -> str:
    """Packages, runtime clients and the like, shared by all projects of this user.

    ``$LAMBDASH_STORE``, else ``$XDG_CACHE_HOME/lambdash``, else ``~/.cache/lambdash``.
    """
    chosen = environ.get("LAMBDASH_STORE")
    if chosen:
        return chosen
    base = environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "lambdash")


def _is_writable(folder: str) -> bool:
    existing = folder if os.path.isdir(folder) else os.path.dirname(folder)
    return os.access(existing, os.W_OK | os.X_OK)


def _on_network(path: str) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
            return file_system_type(path, mounts) in _NETWORK_FILE_SYSTEMS
    except OSError:
        return False


def file_system_type(path: str, mounts: Iterable[str]) -> str:
    """The type of the file system that holds ``path``, from lines of ``mountinfo`` (proc(5))."""
    best, kind = "", ""
    for line in mounts:
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].replace("\\040", " ")
        prefix = point if point.endswith("/") else point + "/"
        if (path + "/").startswith(prefix) and len(prefix) >= len(best):
            best, kind = prefix, right.split(" ")[0]
    return kind
