"""Our Node client, spoken to by a scripted Runtime API: shapes as AWS's client posts them.

Expected values: AWS's own client (github.com/aws/aws-lambda-nodejs-runtime-interface-client) and
https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html.
"""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lambdash.engines.images as images
from tests.engines.images.scripted_runtime_api import Posted, ScriptedRuntimeApi, scripted

CLIENT = Path(images.__file__).parent / "node" / "index.mjs"
NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="this machine has no Node")
AS_NODE_24 = (
    "--import",
    "data:text/javascript,Object.defineProperty(process,'versions',"
    "{value:{...process.versions,node:'24.0.0'}})",
)


@dataclass(frozen=True, slots=True)
class Running:
    api: ScriptedRuntimeApi
    process: subprocess.Popen[str]

    def ended(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=20)
        return self.process.returncode, output

    def output_when_idle(self) -> str:
        assert self.api.idle.wait(20)
        self.process.terminate()
        return self.process.communicate(timeout=20)[0]


@contextmanager
def running(
    root: Path,
    *events: Any,
    handler: str = "app.handler",
    options: tuple[str, ...] = (),
    variables: dict[str, str] | None = None,
) -> Iterator[Running]:
    with scripted(*events) as api:
        process = subprocess.Popen(
            [str(NODE), *options, str(CLIENT)],
            env={
                "PATH": "/usr/bin:/bin",
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "LAMBDA_TASK_ROOT": str(root),
                "_HANDLER": handler,
                "AWS_LAMBDA_FUNCTION_NAME": "probe",
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                **(variables or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield Running(api, process)
        finally:
            process.kill()
            process.communicate()


def answers(root: Path, code: str, *events: Any, count: int = 1, **more: Any) -> list[Posted]:
    (root / "app.js").write_text(code)
    with running(root, *(events or ({},)), **more) as run:
        return [run.api.answer() for _ in range(count)]


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ("exports.handler = async (e) => ({got: e.a})", {"got": 1}),
        ("exports.handler = async () => {}", None),
        ("exports.handler = (e) => Promise.resolve('später')", "später"),
        ("exports.handler = (e, c, done) => done(null, 7)", 7),
        ("exports.handler = (e, c, done) => setTimeout(() => done(null, 8), 5)", 8),
        ("exports.handler = (e, c) => c.succeed('s')", "s"),
        ("exports.handler = (e, c) => c.done(null, 'd')", "d"),
        ("exports.handler = () => 'ignored: no callback was called'", None),
        (
            "exports.handler = (e, c, done) => { c.callbackWaitsForEmptyEventLoop = false;"
            "setInterval(() => {}, 1000); done(null, 'at once') }",
            "at once",
        ),
    ],
)
def test_ways_to_succeed(tmp_path: Path, code: str, body: Any) -> None:
    [posted] = answers(tmp_path, code, {"a": 1})
    assert (posted.kind, posted.request_id) == ("response", "request-1")
    assert posted.document == body


@pytest.mark.parametrize(
    ("code", "error_type", "message"),
    [
        ("exports.handler = async () => { throw new TypeError('bad') }", "TypeError", "bad"),
        ("exports.handler = () => { throw new Error('sync') }", "Error", "sync"),
        ("exports.handler = () => Promise.reject(new RangeError('r'))", "RangeError", "r"),
        ("exports.handler = async () => { throw 'text' }", "string", "text"),
        ("exports.handler = (e, c, done) => done(new Error('cb'))", "Error", "cb"),
        ("exports.handler = (e, c) => c.fail(new Error('failed'))", "Error", "failed"),
        (
            "exports.handler = async () => { const a = {}; a.a = a; return a }",
            "Error",
            "Unable to stringify response body",
        ),
        ("exports.handler = async () => { throw new Error('naïve ☃') }", "Error", "naïve ☃"),
    ],
)
def test_ways_to_fail(tmp_path: Path, code: str, error_type: str, message: str) -> None:
    [posted] = answers(tmp_path, code)
    assert (posted.kind, posted.request_id) == ("error", "request-1")
    assert set(posted.document) == {"errorType", "errorMessage", "trace"}
    assert posted.document["errorType"] == error_type
    assert posted.document["errorMessage"] == message
    assert posted.headers["lambda-runtime-function-error-type"] == error_type


def test_an_error_carries_its_trace_and_an_xray_cause(tmp_path: Path) -> None:
    [posted] = answers(tmp_path, "exports.handler = async function h() { throw new Error('x') }")
    assert posted.document["trace"][0] == "Error: x"
    assert "app.js:1" in posted.document["trace"][1]
    cause = json.loads(posted.headers["lambda-runtime-function-xray-error-cause"])
    assert cause["exceptions"][0]["message"] == "x"
    assert cause["paths"][0].endswith("app.js")


def test_a_promise_that_never_settles_is_an_error(tmp_path: Path) -> None:
    [posted] = answers(tmp_path, "exports.handler = async () => new Promise(() => {})")
    assert posted.document["errorType"] == "Runtime.NodeJsExit"


@pytest.mark.parametrize(
    ("file", "code", "handler", "error_type"),
    [
        ("app.js", "exports.x = 1", "missing.handler", "Runtime.ImportModuleError"),
        ("app.js", "require('nowhere')", "app.handler", "Runtime.ImportModuleError"),
        ("app.mjs", "import 'nowhere'", "app.handler", "Runtime.ImportModuleError"),
        ("app.js", "exports.x = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("app.js", "exports.handler = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("app.js", "exports.handler = (", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("app.mjs", "export const handler = (", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("app.js", "", "nodot", "Runtime.MalformedHandlerName"),
        ("app.js", "", "../app.handler", "Runtime.MalformedHandlerName"),
        ("app.js", "throw new EvalError('top')", "app.handler", "EvalError"),
    ],
)
def test_init_errors(tmp_path: Path, file: str, code: str, handler: str, error_type: str) -> None:
    (tmp_path / file).write_text(code)
    with running(tmp_path, handler=handler) as run:
        posted = run.api.answer()
        status, output = run.ended()
    assert posted.kind == "init-error"
    assert posted.document["errorType"] == error_type
    assert posted.headers["lambda-runtime-function-error-type"] == error_type
    assert status != 0
    assert "\tundefined\tERROR\tUncaught Exception \t{" in output


@pytest.mark.parametrize(
    ("file", "handler"),
    [
        ("app.cjs", "app.handler"),
        ("src/deep/app.js", "src/deep/app.handler"),
        ("app.js", "app.a.b.handler"),
    ],
)
def test_common_js_is_found(tmp_path: Path, file: str, handler: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("exports.handler = async () => 'found'; exports.a = {b: exports}")
    with running(tmp_path, {}, handler=handler) as run:
        assert run.api.answer().document == "found"


@pytest.mark.parametrize("file", ["app.mjs", "src/app.js"])
def test_modules_are_found_with_top_level_await(tmp_path: Path, file: str) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "src").mkdir()
    (tmp_path / file).write_text(
        "const word = await Promise.resolve('found'); export const handler = async () => word"
    )
    with running(tmp_path, {}, handler=f"{file.rpartition('.')[0]}.handler") as run:
        assert run.api.answer().document == "found"


def test_context_and_variables(tmp_path: Path) -> None:
    code = """exports.handler = async (event, context) => ({
        context, left: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID})"""
    [first, second] = answers(tmp_path, code, {}, {}, count=2)
    context = first.document["context"]
    assert context["awsRequestId"] == "request-1"
    assert context["functionName"] == "probe"
    assert context["functionVersion"] == "$LATEST"
    assert context["memoryLimitInMB"] == "128"
    assert context["invokedFunctionArn"].endswith(":function:probe")
    assert context["clientContext"] == {"custom": {"key": "value"}}
    assert context["callbackWaitsForEmptyEventLoop"] is True
    assert 0 < first.document["left"] <= 30_000
    assert first.document["trace"] == "Root=1-request-1;Sampled=0"
    assert second.document["trace"] == "Root=1-request-2;Sampled=0"


def test_one_process_serves_one_invocation_after_another(tmp_path: Path) -> None:
    code = """let n = 0; exports.handler = async (e) => {
        n += 1; if (e.bad) throw new Error('once'); return n }"""
    posted = answers(tmp_path, code, {}, {"bad": 1}, {}, count=3)
    assert [each.kind for each in posted] == ["response", "error", "response"]
    assert posted[2].document == 3


def test_six_megabytes_of_unicode_come_back_whole(tmp_path: Path) -> None:
    text = "☃ß" * (6 * 1024 * 1024 // 5 - 8)
    event = json.dumps({"text": text}, ensure_ascii=False).encode()
    [posted] = answers(tmp_path, "exports.handler = async (e) => e.text", event)
    assert posted.document == text


def test_log_lines(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text(
        "console.log('at init'); exports.handler = async () => {"
        "console.log('a %s', 'b', {c: 1}); console.warn('w'); console.debug('d');"
        "process.stdout.write('raw\\n'); throw new Error('boom') }"
    )
    with running(tmp_path, {}) as run:
        run.api.answer()
        lines = run.output_when_idle().splitlines()
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(time + r"\tundefined\tINFO\tat init", lines[0])
    assert re.fullmatch(time + r"\trequest-1\tINFO\ta b \{ c: 1 \}", lines[1])
    assert lines[2].endswith("\trequest-1\tWARN\tw")
    assert lines[3].endswith("\trequest-1\tDEBUG\td")
    assert lines[4] == "raw"
    _, _, shown = lines[5].partition("\tERROR\tInvoke Error \t")
    assert json.loads(shown)["errorType"] == "Error"
    assert json.loads(shown)["stack"][0] == "Error: boom"


def test_log_lines_in_json(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html"""
    (tmp_path / "app.js").write_text(
        "exports.handler = async () => { console.debug('not kept'); console.log('a %s', 'b');"
        "console.warn({c: 1}); console.error('bad', new TypeError('t'));"
        "const loop = {}; loop.loop = loop; console.info(loop); throw new Error('boom') }"
    )
    variables = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "INFO"}
    with running(tmp_path, {}, variables=variables) as run:
        run.api.answer()
        lines = [json.loads(line) for line in run.output_when_idle().splitlines()]
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert all(re.fullmatch(time, line["timestamp"]) for line in lines)
    assert {line["requestId"] for line in lines} == {"request-1"}
    assert [line["level"] for line in lines] == ["INFO", "WARN", "ERROR", "INFO", "ERROR"]
    text, given, failed, circular, thrown = lines
    assert (text["message"], given["message"]) == ("a b", {"c": 1})
    assert (failed["errorType"], failed["errorMessage"]) == ("TypeError", "t")
    assert failed["stackTrace"][0] == "TypeError: t"
    assert "[Circular *1]" in circular["message"]
    assert thrown["message"]["errorMessage"] == "boom"


@pytest.mark.parametrize(
    ("code", "error_type", "exit_code"),
    [
        ("setTimeout(() => { throw new URIError('late') }, 1)", "URIError", 129),
        ("Promise.reject(new Error('lost'))", "Runtime.UnhandledPromiseRejection", 128),
    ],
)
def test_errors_outside_the_handlers_turn_end_the_process(
    tmp_path: Path, code: str, error_type: str, exit_code: int
) -> None:
    (tmp_path / "app.js").write_text(
        f"exports.handler = (e, c, done) => {{ {code}; setTimeout(() => {{}}, 10000) }}"
    )
    with running(tmp_path, {}) as run:
        posted = run.api.answer()
        status, _ = run.ended()
    assert (posted.kind, posted.document["errorType"]) == ("error", error_type)
    assert status == exit_code


def test_an_error_while_waiting_for_the_next_event_is_still_reported(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text(
        "exports.handler = async () => { setTimeout(() => { throw new Error('idle') }, 50) }"
    )
    with running(tmp_path, {}) as run:
        assert run.api.answer().kind == "response"
        posted = run.api.answer()
        status, _ = run.ended()
    assert (posted.kind, posted.document["errorMessage"], status) == ("error", "idle", 129)


def test_a_handler_that_exits_ends_the_process(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text("exports.handler = async () => process.exit(3)")
    with running(tmp_path, {}) as run:
        status, _ = run.ended()
        assert status == 3
        assert run.api.posted.empty()


def test_node_24_refuses_callback_handlers(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text("exports.handler = (e, c, done) => done(null, 1)")
    with running(tmp_path, {}, options=AS_NODE_24) as run:
        posted = run.api.answer()
    assert posted.kind == "init-error"
    assert posted.document["errorType"] == "Runtime.CallbackHandlerDeprecated"


def test_node_24_takes_a_plain_return_value(tmp_path: Path) -> None:
    code = "exports.handler = (e, c) => ({plain: true, done: typeof c.done})"
    [posted] = answers(tmp_path, code, options=AS_NODE_24)
    assert posted.document == {"plain": True, "done": "undefined"}


STREAMING = "exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {%s})"


def test_a_streamed_response(tmp_path: Path) -> None:
    code = STREAMING % (
        "stream.setContentType('text/plain'); stream.write('one '); "
        "stream.write(Buffer.from('two ')); stream.write({three: 3}); "
        "stream.end(' ' + context.awsRequestId)"
    )
    first, second = answers(tmp_path, code, {}, {}, count=2)
    assert (first.kind, first.body) == ("response", b'one two {"three":3} request-1')
    assert second.body.endswith(b"request-2")
    assert first.headers["content-type"] == "text/plain"
    assert first.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert "Lambda-Runtime-Function-Error-" in first.headers["trailer"]
    assert "lambda-runtime-function-error-body" not in first.headers


@pytest.mark.parametrize(
    ("body", "written", "error_type", "message"),
    [
        ("stream.write('half'); throw new TypeError('bad')", b"half", "TypeError", "bad"),
        ("throw new RangeError('early')", b"", "RangeError", "early"),
        (
            "await new Promise(() => {})",
            b"",
            "Runtime.NodeJsExit",
            "The Lambda runtime client detected an unexpected Node.js exit code.",
        ),
    ],
)
def test_errors_of_a_streamed_response(
    tmp_path: Path, body: str, written: bytes, error_type: str, message: str
) -> None:
    first, second = answers(tmp_path, STREAMING % body, {}, {}, count=2)
    assert second.kind == "response"
    assert (first.kind, first.body) == ("response", written)
    assert first.headers["lambda-runtime-function-error-type"] == error_type
    document = json.loads(base64.b64decode(first.headers["lambda-runtime-function-error-body"]))
    assert document["errorType"] == error_type
    assert document["errorMessage"].startswith(message)


def test_a_streaming_handler_is_async(tmp_path: Path) -> None:
    code = "exports.handler = awslambda.streamifyResponse((event, stream) => { stream.write('x') })"
    [posted] = answers(tmp_path, code)
    assert posted.body == b"x"
    document = json.loads(base64.b64decode(posted.headers["lambda-runtime-function-error-body"]))
    assert document["errorMessage"] == "Streaming does not support non-async handlers."


def test_status_and_headers_go_before_the_body(tmp_path: Path) -> None:
    code = STREAMING % (
        "const body = awslambda.HttpResponseStream.from(stream, {statusCode: 201}); "
        "body.write('hello'); body.end()"
    )
    [posted] = answers(tmp_path, code)
    assert posted.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert posted.body == b'{"statusCode":201}' + bytes(8) + b"hello"


def test_a_streaming_handler_of_three_arguments_runs_on_node_24(tmp_path: Path) -> None:
    [posted] = answers(tmp_path, STREAMING % "stream.end('y')", options=AS_NODE_24)
    assert posted.body == b"y"
