"""Start of the Python runtime, as ``/var/runtime/bootstrap.py`` of AWS's images sets it up.

The function's folder comes first on the path, then the layers (``/opt/python``), then the rest;
``.pth`` files of both are honoured. Where ``/var/task`` is not the function's folder this runs on
the machine's own interpreter: what stands for ``/opt`` is then its one argument, if it has any, and
packages installed for the machine are hidden, since AWS would not have them either.
"""

import os
import site
import sys

from awslambdaric import bootstrap  # type: ignore[import-untyped, import-not-found, unused-ignore]
from awslambdaric.lambda_runtime_client import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
    LambdaRuntimeClient,
)


def main() -> None:
    """Set up the path, then serve invocations until the process is ended."""
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    in_container = task_root == "/var/task"
    layers: list[str] = []
    opt = "/opt" if in_container else "".join(sys.argv[1:])
    del sys.argv[1:]
    if not in_container:
        sys.path[:] = [entry for entry in sys.path if not entry.endswith("-packages")]
    if "PYTHONPATH" not in os.environ:
        if opt:
            version = f"python{sys.version_info.major}.{sys.version_info.minor}"
            layers = [f"{opt}/python/lib/{version}/site-packages", f"{opt}/python"]
        os.environ["PYTHONPATH"] = os.environ["LAMBDA_RUNTIME_DIR"]
    sys.path[:0] = [task_root, *layers]
    for folder in (task_root, *layers):
        site.addsitedir(folder)
    client = LambdaRuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    bootstrap.run(os.environ["_HANDLER"], client)


if __name__ == "__main__":
    main()
