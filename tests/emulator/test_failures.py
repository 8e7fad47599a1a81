"""What is said of a function that did not initialise: its error, and where in its code."""

import json
from pathlib import Path

import pytest

from lambdash.emulator.failures import raise_unless_ready
from lambdash.errors import FunctionError
from lambdash.model import (
    FolderSource,
    Function,
    FunctionConfiguration,
    InitFailed,
    Scaling,
    ZipPackage,
)
from lambdash.storage.functions import DeployedFunction

_PYTHON = {
    "errorType": "NameError",
    "errorMessage": "name 'x' is not defined",
    "stackTrace": [
        '  File "/var/lang/lib/python3.13/importlib/__init__.py", line 88, in import_module\n',
        '  File "/var/task/shop/app.py", line 3, in <module>\n    x\n',
    ],
}
_NODE = {
    "errorType": "ReferenceError",
    "errorMessage": "x is not defined",
    "trace": [
        "ReferenceError: x is not defined",
        "    at file:///var/task/index.mjs:2:1",
        "    at ModuleJob.run (node:internal/modules/esm/module_job:234:25)",
        "    at load (/var/runtime/index.mjs:90:3)",
    ],
}
_NOWHERE = {"errorType": "Runtime.ImportModuleError", "errorMessage": "no module", "stackTrace": []}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_PYTHON, "NameError: name 'x' is not defined (app.py, line 3)"),
        (_NODE, "ReferenceError: x is not defined (index.mjs, line 2)"),
        (_NOWHERE, "Runtime.ImportModuleError: no module"),
        ("odd", '"odd"'),
    ],
)
def test_the_error_and_the_line_of_the_code(document: object, said: str) -> None:
    configuration = FunctionConfiguration("hello", "python3.13", "app.handler")
    function = Function(configuration, FolderSource(Path("/src")), Scaling())
    deployed = DeployedFunction(function, ZipPackage("1" * 8, 1), "1")
    with pytest.raises(FunctionError) as raised:
        raise_unless_ready(deployed, InitFailed(json.dumps(document).encode()))
    assert raised.value.message == f"`hello` did not initialise: {said}"
