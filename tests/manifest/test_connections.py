"""Event sources, targets and queues of a manifest, and what is wrong with them."""

import json

import pytest

from lambdash.model.connections import Connections, Cors, FunctionUrl, HttpSource, SqsSource
from tests.manifest.conftest import Workspace

QUEUE = "arn:aws:sqs:eu-west-1:000000000000"


def connections(workspace: Workspace, text: str, resources: str = "") -> Connections:
    functions = f"functions: {{f: {{image: x, {text}}}, g: {{image: y}}}}"
    manifest = workspace.load(f"version: 1\nregion: eu-west-1\n{resources}\n{functions}\n")
    return manifest.functions["f"].connections


def problems(workspace: Workspace, text: str, resources: str = "") -> list[str]:
    found = workspace.problems(f"version: 1\n{resources}\nfunctions: {{f: {{image: x, {text}}}}}\n")
    return [problem.partition(": ")[2] for problem in found]


JOBS = "resources: {queues: {jobs: {}, failed: {}, urgent.fifo: {}}}"


def test_a_function_without_any(workspace: Workspace) -> None:
    assert connections(workspace, "timeout: 5") == Connections()


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("GET /orders/{id}", HttpSource("GET", "/orders/{id}")),
        ("ANY /{proxy+}", HttpSource("ANY", "/{proxy+}")),
        ("$default", HttpSource("ANY", "$default")),
        ("{path: /a}", HttpSource("ANY", "/a")),
        ("{method: POST, path: /a/b}", HttpSource("POST", "/a/b")),
        ("{path: $default}", HttpSource("ANY", "$default")),
    ],
)
def test_routes(workspace: Workspace, text: str, source: HttpSource) -> None:
    quoted = text if text.startswith(("{path", "{method")) else f'"{text}"'
    found = connections(workspace, f"event_sources: [{{http: {quoted}}}]")
    assert found.event_sources == (source,)


@pytest.mark.parametrize(
    "text", ["orders", "GET orders", "FETCH /a", "GET /a{b}", "GET /{a+}/b", "GET /{a b}"]
)
def test_what_is_no_route(workspace: Workspace, text: str) -> None:
    (problem,) = problems(workspace, f'event_sources: [{{http: "{text}"}}]')
    assert "no route" in problem


def test_queues_in_short_and_long_form(workspace: Workspace) -> None:
    text = (
        "event_sources: [{sqs: jobs}, {sqs: {queue: urgent.fifo, batch_size: 5, "
        "maximum_concurrency: 5, function_response_types: [ReportBatchItemFailures], "
        "filters: [{body: {kind: [order]}}], enabled: false}}]"
    )
    assert connections(workspace, text, JOBS).event_sources == (
        SqsSource(f"{QUEUE}:jobs"),
        SqsSource(
            f"{QUEUE}:urgent.fifo",
            batch_size=5,
            maximum_concurrency=5,
            reports_failures=True,
            filters=('{"body": {"kind": ["order"]}}',),
            enabled=False,
        ),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{sqs: jbos}", "there is no queue `jbos`"),
        ("{sqs: {batch_size: 5}}", "the event source has no `queue`"),
        ("{sqs: {queue: jobs, batch_size: 11}}", "needs a batching window"),
        ("{sqs: {queue: urgent.fifo, batch_size: 11}}", "a FIFO queue has batches of at most 10"),
        ("{sqs: {queue: jobs, filters: [{body: {a: 1}}]}}", "a filter is not valid"),
        ("{sqs: [jobs]}", "an event source is text or a mapping"),
        ("{http: [a]}", "an event source is text or a mapping"),
        ("{http: {method: GET}}", "the event source has no `path`"),
        ("{kinesis: orders}", "is not supported yet"),
        ("{sqss: orders}", "unknown event source"),
    ],
)
def test_what_is_wrong_with_a_source(workspace: Workspace, text: str, said: str) -> None:
    (problem,) = problems(workspace, f"event_sources: [{text}]", JOBS)
    assert said in problem


def test_targets_become_arns(workspace: Workspace) -> None:
    text = (
        "dead_letter: {queue: failed}, destinations: {on_success: {function: g}, "
        "on_failure: {arn: arn:aws:sqs:us-east-1:111111111111:x}}, maximum_retry_attempts: 0"
    )
    found = connections(workspace, text, JOBS)
    assert found.dead_letter == f"{QUEUE}:failed"
    assert found.on_success == "arn:aws:lambda:eu-west-1:000000000000:function:g"
    assert found.on_failure == "arn:aws:sqs:us-east-1:111111111111:x"
    assert found.maximum_retry_attempts == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dead_letter: {}", "names no targets"),
        ("dead_letter: {queue: jobs, function: f}", "names 2 targets"),
        ("dead_letter: {queue: nowhere}", "there is no queue `nowhere`"),
        ("destinations: {on_failure: {function: h}}", "there is no function `h`"),
        ("maximum_retry_attempts: 3", "more than 2"),
        ("maximum_event_age: 5", "less than 60"),
        ("dead_letter: {queues: jobs}", "unknown key `queues`"),
        ("url: {auth_type: AWS_IAM}", "must be `NONE`"),
    ],
)
def test_what_is_wrong_with_a_target(workspace: Workspace, text: str, said: str) -> None:
    assert any(said in problem for problem in problems(workspace, text, JOBS))


def test_a_url(workspace: Workspace) -> None:
    assert connections(workspace, "url: {}").url == FunctionUrl()
    text = "url: {invoke_mode: RESPONSE_STREAM, cors: {allow_origins: ['*'], max_age: 5}}"
    cors = Cors(("*",), max_age_s=5)
    assert connections(workspace, text).url == FunctionUrl("RESPONSE_STREAM", cors)


def test_queues_have_sqs_attributes(workspace: Workspace) -> None:
    manifest = workspace.load(
        "version: 1\nfunctions: {}\nresources:\n  queues:\n"
        "    jobs: {visibility_timeout: 60, dead_letter: failed, max_receive_count: 5}\n"
        "    failed: {}\n"
        "    urgent.fifo: {content_based_deduplication: true}\n"
    )
    found = {queue.name: dict(queue.attributes) for queue in manifest.queues}
    assert next(iter(found)) == "failed"
    assert json.loads(found["jobs"].pop("RedrivePolicy")) == {
        "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:failed",
        "maxReceiveCount": 5,
    }
    assert found == {
        "failed": {},
        "jobs": {"VisibilityTimeout": "60"},
        "urgent.fifo": {"FifoQueue": "true", "ContentBasedDeduplication": "true"},
    }


@pytest.mark.parametrize(
    ("queues", "said"),
    [
        ("{a b: {}}", "is not a queue's name"),
        ("{a: {content_based_deduplication: true}}", "is no FIFO queue"),
        ("{a: {dead_letter: b}}", "there is no queue `b`"),
        ("{a: {dead_letter: a}}", "cannot be the dead-letter queue"),
        ("{a: {dead_letter: b.fifo}, b.fifo: {}}", "cannot be the dead-letter queue"),
        ("{a: {delay: 901}}", "more than 900"),
        ("{a: {visibility: 5}}", "unknown key `visibility`"),
    ],
)
def test_what_is_wrong_with_a_queue(workspace: Workspace, queues: str, said: str) -> None:
    found = workspace.problems(f"version: 1\nfunctions: {{}}\nresources: {{queues: {queues}}}\n")
    assert any(said in problem for problem in found)
