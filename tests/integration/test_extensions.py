"""External extensions as a user meets them, on both engines."""

import pytest

from tests.integration.project import Project

SOURCE = "def handler(event, context):\n    return event\n"
EXTENSION = """#!/usr/bin/env python3
import http.client, json, os, sys
name = os.path.basename(__file__)
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def ask(method, path, body=None, **headers):
    given = {"Lambda-Extension-" + key: value for key, value in headers.items()}
    api.request(method, "/2020-01-01/extension/" + path, body, given)
    answer = api.getresponse()
    return answer, answer.read()
events = json.dumps({"events": ["INVOKE", "SHUTDOWN"]})
answer, _ = ask("POST", "register", events, Name=name)
identifier = answer.getheader("Lambda-Extension-Identifier")
print(name, "is here", flush=True)
while True:
    _, body = ask("GET", "event/next", Identifier=identifier)
    event = json.loads(body)
    print(name, event["eventType"], event.get("requestId", event.get("shutdownReason")), flush=True)
    if event["eventType"] == "SHUTDOWN":
        sys.exit(0)
"""


@pytest.fixture
def extended(project: Project) -> Project:
    """A project with a function that has a layer with an extension."""
    project.write({"hello/app.py": SOURCE, "watching/extensions/watcher": EXTENSION})
    (project.folder / "watching" / "extensions" / "watcher").chmod(0o755)
    project.describe({"hello": {"layers": ["./watching"], "max_environments": 1}})
    return project


def test_an_extension_hears_of_invocations_and_of_the_end(extended: Project) -> None:
    answers = [extended.invoke("hello", {"n": number}) for number in range(2)]
    assert [answer["payload"] for answer in answers] == [{"n": 0}, {"n": 1}]
    assert [answer["start"] for answer in answers] == ["cold", "warm"]
    lines = [line["text"] for line in extended.succeed("logs", "hello")["events"]]
    told = [line for line in lines if line.startswith("watcher")]
    heard = [f"watcher INVOKE {answer['request_id']}" for answer in answers]
    assert told == ["watcher is here", *heard]


def test_an_extension_that_ends_is_named(extended: Project) -> None:
    (extended.folder / "watching" / "extensions" / "watcher").write_text("#!/bin/sh\nexit 3\n")
    answer = extended.invoke("hello")
    assert answer["outcome"] == "init_failed"
    assert answer["payload"]["errorType"] == "Extension.Crash"
    assert answer["payload"]["errorMessage"].endswith("exit status 3")


INTERNAL = """import http.client, json, os, threading
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def ask(method, path, body=None, **headers):
    given = {"Lambda-Extension-" + key: value for key, value in headers.items()}
    api.request(method, "/2020-01-01/extension/" + path, body, given)
    answer = api.getresponse()
    return answer, answer.read()
refused, why = ask("POST", "register", '{"events": ["SHUTDOWN"]}', Name="inside")
answer, _ = ask("POST", "register", '{"events": ["INVOKE"]}', Name="inside")
seen = []
def listen():
    identifier = answer.getheader("Lambda-Extension-Identifier")
    while True:
        _, body = ask("GET", "event/next", Identifier=identifier)
        seen.append(json.loads(body)["requestId"])
threading.Thread(target=listen, daemon=True).start()
def handler(event, context):
    return {"seen": seen[:event["n"]], "refused": [refused.status, json.loads(why)["errorType"]]}
"""


def test_an_internal_extension_hears_of_invocations(project: Project) -> None:
    project.write({"hello/app.py": INTERNAL})
    project.describe({"hello": {"max_environments": 1}})
    answers = [project.invoke("hello", {"n": number}) for number in range(3)]
    ids = [answer["request_id"] for answer in answers]
    assert [answer["payload"]["seen"] for answer in answers] == [[], ids[:1], ids[:2]]
    assert answers[0]["payload"]["refused"] == [403, "Extension.InvalidEventType"]
    assert [answer["start"] for answer in answers] == ["cold", "warm", "warm"]
