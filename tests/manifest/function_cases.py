"""Mistakes in functions and their variables: what is written, what is said of it."""

from tests.manifest.document_cases import HEAD

CASES = {
    # layers
    "layers": (
        "version: 1\n"
        "layers:\n"
        "  common:\n    code: code\n    compatible_runtimes: [python3.12]\n"
        "    compatible_architectures: [arm64]\n"
        "  a.b: {code: code}\n"
        "  bare: {}\n"
        "  gone: {code: gone, cod: x}\n"
        "  odd: {code: Dockerfile, compatible_runtimes: [pythn3.12, go1.x]}\n"
        "functions:\n"
        "  f:\n    code: code\n    runtime: python3.13\n    handler: a.b\n"
        "    layers: [common, comon, x, ./no, code/]\n"
        '  g: {image: x, layers: ["arn:a"]}\n'
        "  h:\n    code: code\n    runtime: python3.13\n    handler: a.b\n"
        "    layers: [arn:aws:x, ./code, ./code]\n",
        [
            "7:3: `a.b` is not a layer name (hint: 1 to 140 letters, digits, `-` and `_`)",
            "8:3: layer `bare` has no `code`"
            " (hint: name a folder, or a zip archive, of what is found at `/opt`)",
            "9:16: the layer `gone` does not exist (hint: paths are relative to the manifest)",
            "9:22: unknown key `cod` (hint: did you mean `code`?)",
            "10:15: the layer `Dockerfile` is neither a folder nor a zip archive",
            "10:49: unknown runtime `pythn3.12` (hint: did you mean `python3.12`?)",
            "16:14: the layer `common` is for `arm64`, and function `f` has the architecture"
            " `x86_64` (hint: choose another layer, or add it to the layer's"
            " `compatible_architectures`)",
            "16:14: the layer `common` is for `python3.12`, and function `f` has the runtime"
            " `python3.13` (hint: choose another layer, or add it to the layer's"
            " `compatible_runtimes`)",
            "16:22: there is no layer `comon` (hint: did you mean `common`?)",
            "16:29: there is no layer `x` (hint: declare it in `layers:`, or write `./folder`)",
            "16:32: the layer `./no` does not exist (hint: paths are relative to the manifest)",
            "17:17: `layers` goes with `code`; an image brings its own (hint: remove it)",
            "22:14: the layer ARN `arn:aws:x` is not supported yet (hint: name a folder or a zip"
            " archive; AWS's own layers can be downloaded as one)",
            "22:33: the layer `./code` stands twice in function `h` (hint: remove one)",
        ],
    ),
    "a layer is a mapping": (
        "version: 1\nlayers: {a: code, b: {code: 5}}\nfunctions: {f: {image: x}}\n",
        [
            "2:13: `a` must be a mapping, not the text `code`",
            "2:29: `code` must be text, not the number 5"
            ' (hint: YAML reads `5` as a number; write "5" if text is meant)',
        ],
    ),
    "layers without end": (
        "version: 1\ndefaults: {layers: [a, b, c, d, e, f]}\nfunctions: {f: {image: x}}\n",
        ["2:20: `layers` has more than 5 items"],
    ),
    # functions
    "log levels of a text log": (
        "version: 1\nfunctions: {f: {image: x, logging_config: {system_log_level: WARN}}}\n",
        [
            "2:43: function `f` has log levels and the log format `Text`"
            " (hint: add `log_format: JSON`, or remove the levels)"
        ],
    ),
    "log format": (
        "version: 1\nfunctions: {f: {image: x, logging_config: {log_format: json}}}\n",
        ["2:56: `log_format` must be `Text` or `JSON`, not the text `json`"],
    ),
    "function name": (
        "version: 1\nfunctions: {a.b: {image: x}}\n",
        ["2:13: `a.b` is not a function name (hint: 1 to 64 letters, digits, `-` and `_`)"],
    ),
    "no code": (
        "version: 1\nfunctions: {f: {}}\n",
        ["2:13: function `f` has no code (hint: give it one of `code`, `image` and `build`)"],
    ),
    "two codes": (
        HEAD + "    image: x\n",
        [
            "7:5: function `hello` has `code` and `image`"
            " (hint: keep exactly one of `code`, `image` and `build`)"
        ],
    ),
    "no such folder": (
        "version: 1\nfunctions: {f: {code: cod, runtime: python3.13, handler: a.b}}\n",
        ["2:23: the code folder `cod` does not exist (hint: paths are relative to the manifest)"],
    ),
    "code is a file": (
        "version: 1\nfunctions: {f: {code: Dockerfile, runtime: python3.13, handler: a.b}}\n",
        [
            "2:23: the code folder `Dockerfile` is not a folder"
            " (hint: a zip file is not supported yet; name the folder)"
        ],
    ),
    "a name no file can have": (
        "version: 1\n"
        f"functions: {{f: {{code: {'x' * 5000}, runtime: python3.13, handler: a.b}}}}\n",
        [
            f"2:23: the code folder `{'x' * 57}...` does not exist"
            " (hint: paths are relative to the manifest)"
        ],
    ),
    "no such Dockerfile": (
        "version: 1\nfunctions: {f: {build: {dockerfile: Dockerfil}}}\n",
        [
            "2:37: the Dockerfile `Dockerfil` does not exist"
            " (hint: paths are relative to the manifest)"
        ],
    ),
    "a context without a Dockerfile": (
        "version: 1\nfunctions: {f: {build: {context: code}}}\n",
        [
            "2:24: the Dockerfile `Dockerfile` does not exist"
            " (hint: paths are relative to the manifest)"
        ],
    ),
    "no such context": (
        "version: 1\nfunctions: {f: {build: {dockerfile: Dockerfile, context: x}}}\n",
        ["2:58: the build context `x` is not a folder (hint: paths are relative to the manifest)"],
    ),
    "no runtime and no handler": (
        "version: 1\nfunctions: {f: {code: code}}\n",
        [
            "2:13: function `f` has no handler (hint: add what the runtime calls, such as"
            " `handler: app.handler`)",
            "2:13: function `f` has no runtime (hint: add `runtime: python3.13`, here or in"
            " `defaults`)",
        ],
    ),
    "misspelt runtime": (
        "version: 1\nfunctions: {f: {code: code, runtime: nodejs22, handler: a.b}}\n",
        ["2:38: unknown runtime `nodejs22` (hint: did you mean `nodejs22.x`?)"],
    ),
    "no such runtime": (
        "version: 1\nfunctions: {f: {code: code, runtime: cobol, handler: a.b}}\n",
        [
            "2:38: unknown runtime `cobol` (hint: AWS runs `python3.13`, `nodejs22.x`,"
            " `provided.al2023` and others)"
        ],
    ),
    "retired runtime in defaults": (
        "version: 1\ndefaults: {runtime: go1.x}\nfunctions: {f: {code: code, handler: a.b}}\n",
        ["2:21: AWS has retired the runtime `go1.x` (hint: move to `provided.al2023`)"],
    ),
    "runtime of an image": (
        "version: 1\nfunctions: {f: {image: x, runtime: python3.13, base_image: y}}\n",
        [
            "2:27: `runtime` goes with `code`; an image brings its own (hint: remove it)",
            "2:48: `base_image` goes with `code`; an image brings its own (hint: remove it)",
        ],
    ),
    "image_config of code": (
        HEAD + "    image_config: {command: [x]}\n",
        ["7:5: `image_config` goes with `image` or `build`, not with `code` (hint: remove it)"],
    ),
    "too much reserved": (
        "version: 1\nfunctions:\n  f: {image: x, reserved_concurrent_executions: 500}\n"
        "  g: {image: x, reserved_concurrent_executions: 401}\n"
        "  h: {image: x, reserved_concurrent_executions: 400}\n",
        [
            "4:49: function `g` reserves 1 more than the account can spare (hint: 100 of 1000"
            " concurrent executions stay unreserved; raise `limits.concurrent_executions` as AWS"
            " would)"
        ],
    ),
    "too much provisioned": (
        "version: 1\nfunctions:\n  f: {image: x, provisioned_concurrent_executions: 900}\n"
        "  g: {image: x, provisioned_concurrent_executions: 1}\n"
        "  h:\n    image: x\n    reserved_concurrent_executions: 0\n"
        "    provisioned_concurrent_executions: 2\n",
        [
            "4:52: function `g` provisions 1 more than the account can spare (hint: 100 of 1000"
            " concurrent executions stay unreserved; raise `limits.concurrent_executions` as AWS"
            " would)",
            "8:40: function `h` provisions 2 of the 0 it reserves (hint: what is provisioned comes"
            " out of `reserved_concurrent_executions`)",
        ],
    ),
    # variables
    "reserved variables": (
        HEAD + "    environment:\n      AWS_REGION: x\n      _HANDLER: x\n"
        "      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: 1\n      LAMBDA_TASK_ROOT: x\n",
        [
            "8:7: `AWS_REGION` is reserved by AWS Lambda (hint: set `region` at the top of the"
            " manifest)",
            "9:7: `_HANDLER` is reserved by AWS Lambda (hint: set `handler`)",
            "10:7: `AWS_LAMBDA_FUNCTION_MEMORY_SIZE` is reserved by AWS Lambda (hint: set"
            " `memory_size`)",
            "11:7: `LAMBDA_TASK_ROOT` is reserved by AWS Lambda (hint: remove it; it is set for"
            " every function)",
        ],
    ),
    "variable name": (
        HEAD + "    environment: {A-B: x}\n",
        [
            "7:19: `A-B` is not a variable name AWS accepts (hint: use a letter first, then"
            " letters, digits and `_`, two characters or more)"
        ],
    ),
    "4 KB": (
        HEAD + f"    environment: {{AA: {'x' * 4088}}}\n",
        [
            "7:5: the environment variables of `hello` take 4097 bytes, more than 4 KB (hint:"
            " names, quotes and commas count too; keep large values in a file or a secret store)"
        ],
    ),
    "a variable that is a list": (
        HEAD + "    environment: {AA: [x]}\n",
        ["7:23: `AA` must be text, not a list"],
    ),
    "variable not set": (
        HEAD + '    description: "x ${env:NOPE}"\n',
        [
            "7:21: the variable `NOPE` is not set"
            " (hint: set it, or give a default: `${env:NOPE:-...}`)"
        ],
    ),
    "half a reference": (
        HEAD + "    description: x ${env:NOPE\n",
        [
            "7:20: `${env:` is not a whole reference (hint: write `${env:NAME}` or"
            " `${env:NAME:-default}`; `$${` is a literal `${`)"
        ],
    ),
}
