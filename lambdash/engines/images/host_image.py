"""A base image made from this machine: its interpreter, what that needs, and AWS's conventions.

The result holds ``/var/lang`` (interpreter), ``/var/runtime`` (client and ``bootstrap``),
``/lambda-entrypoint.sh``, a small shell, name service, certificates and time zones. Its C library
is this machine's and not Amazon Linux's: a binary that runs in it may still not run on AWS.
"""

import hashlib
import json
import platform
import stat
from dataclasses import dataclass
from pathlib import Path

from lambdash.engines.images.client_tree import client_name, interpreter_missing
from lambdash.engines.images.closure import closure_of
from lambdash.engines.images.host_languages import lay_node_into, lay_python_into
from lambdash.engines.images.host_shell import lay_shell_into, shell_sources
from lambdash.engines.images.interpreters import find_interpreter, which_on_host
from lambdash.engines.images.layout import Content, Directory, Layout, Link
from lambdash.engines.images.table import Family, Runtime
from lambdash.errors import PlatformError

_CONTAINER_FILES = Path(__file__).parent / "container"
_RECIPE = ("closure.py", "host_image.py", "host_languages.py", "host_shell.py", "layout.py")
_CERTIFICATE_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
IDENTITY_LABEL = "lambdash.host-image"
_CERTIFICATES_AT = "/etc/pki/tls/certs/ca-bundle.crt"
_MACHINES = {"amd64": "x86_64", "aarch64": "arm64"}
_ACCOUNTS = {
    "/etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n"
        "nobody:x:65534:65534:nobody:/:/sbin/nologin\n"
    ),
    "/etc/group": "root:x:0:\nsbx_user1051:x:990:\nnobody:x:65534:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
VARIABLES = {
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:"
        "/var/task:/var/task/lib:/opt/lib"
    ),
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}


@dataclass(frozen=True, slots=True)
class HostIngredients:
    """What an image is made of. ``identity`` changes when any of it does; making it is cheap."""

    runtime: Runtime
    interpreter: Path | None
    identity: str

    @property
    def described(self) -> str:
        return "this machine's shell" if self.interpreter is None else str(self.interpreter)


def machine_architecture() -> str:
    """This machine's architecture in AWS's words: ``x86_64`` or ``arm64``."""
    machine = platform.machine().lower()
    return _MACHINES.get(machine, machine)


def can_be_made(runtime: Runtime, architecture: str) -> PlatformError | None:
    """Why this machine cannot bring an image for the runtime, or None when it can. Blocking."""
    if platform.system() != "Linux":
        return _refused("only a Linux machine can bring an image", "use an official image")
    if architecture != machine_architecture():
        text = f"this machine is {machine_architecture()}, the function wants {architecture}"
        return _refused(text, f"set `architecture: {machine_architecture()}`")
    if runtime.family is Family.PROVIDED:
        return None
    if find_interpreter(runtime.identifier) is None:
        return interpreter_missing(runtime)
    return None


def ingredients(runtime: Runtime, architecture: str) -> HostIngredients:
    """Gather what the image is made of. Blocking.

    Raises:
        PlatformError: this machine cannot bring that image.
    """
    refusal = can_be_made(runtime, architecture)
    if refusal is not None:
        raise refusal
    interpreter = find_interpreter(runtime.identifier)
    files = [interpreter, _certificates(), which_on_host("curl"), *shell_sources().values()]
    recipe = [
        *sorted(_CONTAINER_FILES.iterdir()),
        *(Path(__file__).parent / name for name in _RECIPE),
    ]
    document = {
        "runtime": [runtime.identifier, architecture],
        "client": None if interpreter is None else client_name(runtime),
        "files": [_stamp(file) for file in files if file is not None],
        "libc": platform.libc_ver(),
        "recipe": [hashlib.sha256(file.read_bytes()).hexdigest() for file in recipe],
        "variables": VARIABLES,
    }
    identity = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]
    return HostIngredients(runtime, interpreter, identity)


def lay_out(parts: HostIngredients, client: Path | None) -> Layout:
    """The whole root file system. Blocking (about a second: ldd over every extension module)."""
    layout = Layout()
    shell = shell_sources()
    programs = list(shell.values())
    if parts.interpreter is None:
        programs += _lay_provided_into(layout)
    elif parts.runtime.family is Family.PYTHON:
        programs += lay_python_into(layout, parts.interpreter, _CERTIFICATES_AT)
    else:
        programs += lay_node_into(layout, parts.interpreter)
    if client is not None:
        layout.add_tree("/var/runtime", client, lambda path: path.name != ".lock")
        programs += sorted(client.rglob("*.so"))
    closure_of(programs).lay_into(layout)
    lay_shell_into(layout, shell)
    _lay_conventions_into(layout, parts.runtime)
    return layout


def changes(identity: str) -> list[str]:
    """The image's configuration as Dockerfile instructions, as ``docker import`` takes them."""
    return [
        *(f"ENV {name}={value}" for name, value in VARIABLES.items()),
        "WORKDIR /var/task",
        'ENTRYPOINT ["/lambda-entrypoint.sh"]',
        "LABEL lambdash=1",
        f"LABEL {IDENTITY_LABEL}={identity}",
    ]


def _refused(text: str, hint: str) -> PlatformError:
    return PlatformError("host-image-failed", text, hint)


def _stamp(file: Path) -> list[str | int]:
    status = file.stat()
    return [str(file), status.st_size, status.st_mtime_ns]


def _certificates() -> Path | None:
    return next((path for path in map(Path, _CERTIFICATE_BUNDLES) if path.is_file()), None)


def _lay_provided_into(layout: Layout) -> list[Path]:
    curl = which_on_host("curl")
    if curl is None:
        return []
    layout.add_file("/usr/bin/curl", curl)
    return [curl]


def _lay_conventions_into(layout: Layout, runtime: Runtime) -> None:
    for path, text in _ACCOUNTS.items():
        layout.add(path, Content(text.encode()))
    for folder in ("/var/task", "/opt", "/proc", "/sys", "/dev", "/home/sbx_user1051"):
        layout.add(folder, Directory())
    layout.add("/tmp", Directory(0o777 | stat.S_ISVTX))  # noqa: S108 - the image's own
    layout.add("/var/tmp", Link("/tmp"))  # noqa: S108 - the image's own
    certificates = _certificates()
    if certificates is not None:
        layout.add_file(_CERTIFICATES_AT, certificates)
        layout.add("/etc/ssl/certs/ca-certificates.crt", Link(_CERTIFICATES_AT))
        layout.add("/etc/ssl/cert.pem", Link(_CERTIFICATES_AT))
    _lay_locale_into(layout)
    entrypoint = (_CONTAINER_FILES / "lambda-entrypoint.sh").read_bytes()
    layout.add("/lambda-entrypoint.sh", Content(entrypoint, 0o755))
    layout.add("/var/runtime/bootstrap", Content(_bootstrap(runtime).encode(), 0o755))


def _lay_locale_into(layout: Layout) -> None:
    layout.add("/etc/localtime", Link("/usr/share/zoneinfo/UTC"))
    zones = Path("/usr/share/zoneinfo")
    if zones.is_dir():
        layout.add_tree(str(zones), zones, lambda path: path.parts[0] not in ("right", "posix"))
    for name in ("C.utf8", "C.UTF-8"):
        locale = Path("/usr/lib/locale", name)
        if locale.is_dir():
            layout.add_tree(str(locale), locale, lambda _: True)


def _bootstrap(runtime: Runtime) -> str:
    text = (_CONTAINER_FILES / f"bootstrap-{runtime.family.value}").read_text()
    if runtime.family is Family.PROVIDED:
        return text
    text = text.replace("@EXECUTION_ENVIRONMENT@", runtime.execution_environment or "")
    text = text.replace("@VERSION@", runtime.version)
    return text + (_CONTAINER_FILES / "exec-wrapper").read_text()
