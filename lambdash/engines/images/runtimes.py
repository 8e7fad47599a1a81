"""What an engine asks about runtimes: the table, the host's interpreter, the runtime client."""

from lambdash.engines.images.client_tree import (
    UvOptions,
    default_cache_dir,
    runtime_client_tree,
    runtime_command,
)
from lambdash.engines.images.interpreters import find_interpreter
from lambdash.engines.images.table import (
    RUNTIMES,
    Family,
    Runtime,
    runtime_named,
)

__all__ = [
    "RUNTIMES",
    "Family",
    "Runtime",
    "UvOptions",
    "default_cache_dir",
    "find_interpreter",
    "runtime_client_tree",
    "runtime_command",
    "runtime_named",
]
