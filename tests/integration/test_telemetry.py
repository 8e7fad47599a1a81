"""Extensions that listen to telemetry, and one in shell, on both engines."""

import json

from tests.integration.project import Project
from tests.integration.shell import echo

SOURCE = 'def handler(event, context):\n    print("said", event["n"])\n    return event\n'
# prints what it was posted once it knows that the runtime is done: as real ones wait for it
SUBSCRIBER = """#!/usr/bin/env python3
import http.client, http.server, json, os, sys, threading
name = os.path.basename(__file__)
seen, done = [], threading.Condition()

class Listener(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        records = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with done:
            seen.extend(records)
            done.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *ignored):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=server.serve_forever, daemon=True).start()
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

def ask(method, path, body=None, **headers):
    given = {"Lambda-Extension-" + key: value for key, value in headers.items()}
    api.request(method, path, json.dumps(body) if body else None, given)
    answer = api.getresponse()
    return answer.status, answer.getheader("Lambda-Extension-Identifier"), answer.read()

_, identifier, _ = ask(
    "POST", "/2020-01-01/extension/register", {"events": ["INVOKE", "SHUTDOWN"]}, Name=name
)
status, _, answered = ask(
    "PUT",
    "/2022-07-01/telemetry",
    {
        "schemaVersion": "2022-07-01",
        "types": ["platform", "function"],
        "buffering": {"timeoutMs": 25},
        "destination": {
            "protocol": "HTTP",
            "URI": "http://sandbox.localdomain:%d" % server.server_port,
        },
    },
    Identifier=identifier,
)
print(name, "subscribed", status, answered.decode(), flush=True)
while True:
    _, _, body = ask("GET", "/2020-01-01/extension/event/next", Identifier=identifier)
    event = json.loads(body)
    if event["eventType"] == "SHUTDOWN":
        sys.exit(0)
    with done:
        done.wait_for(lambda: "platform.runtimeDone" in [each["type"] for each in seen], 10)
        told, seen[:] = list(seen), []
    print(name, "heard", json.dumps(told), flush=True)
"""
IN_SHELL = r"""#!/bin/sh
name=$(basename "$0")
api="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
id=$(curl -sfi -d '{"events":["INVOKE","SHUTDOWN"]}' -H "Lambda-Extension-Name: $name" \
  "$api/register" | tr -d '\r' | sed -n 's/^lambda-extension-identifier: *//Ip')
while event=$(curl -sf -H "Lambda-Extension-Identifier: $id" "$api/event/next"); do
  echo "$name heard $event"
  case $event in *SHUTDOWN*) exit 0 ;; esac
done
"""


def install(project: Project, name: str, program: str) -> None:
    path = f"layer/extensions/{name}"
    project.write({path: program})
    (project.folder / path).chmod(0o755)


def lines(project: Project, function: str) -> list[str]:
    return [line["text"] for line in project.succeed("logs", function)["events"]]


def test_a_subscriber_is_posted_all_of_an_invocation_before_it_ends(project: Project) -> None:
    install(project, "listener", SUBSCRIBER)
    project.write({"hello/app.py": SOURCE})
    project.describe({"hello": {"layers": ["./layer"], "max_environments": 1}})

    answers = [project.invoke("hello", {"n": number}) for number in range(2)]

    assert [answer["payload"] for answer in answers] == [{"n": 0}, {"n": 1}]
    printed = lines(project, "hello")
    assert 'listener subscribed 200 "OK"' in printed
    heard = [line for line in printed if line.startswith("listener heard ")]
    records = json.loads(heard[0].removeprefix("listener heard "))
    assert [record["type"] for record in records] == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "function",
        "platform.runtimeDone",
    ]
    said = {record["type"]: record["record"] for record in records}
    assert said["function"] == "said 0"
    assert said["platform.runtimeDone"]["requestId"] == answers[0]["request_id"]


def test_an_extension_in_shell(project: Project) -> None:
    install(project, "watcher", IN_SHELL)
    echo(project, "plain")
    document = json.loads(project.manifest.read_text())
    document["functions"]["plain"] |= {"layers": ["./layer"], "max_environments": 1}
    project.manifest.write_text(json.dumps(document))

    answers = [project.invoke("plain", {"n": number}) for number in range(2)]

    assert [answer["payload"] for answer in answers] == [{"n": 0}, {"n": 1}]
    heard = [line for line in lines(project, "plain") if line.startswith("watcher heard ")]
    first = json.loads(heard[0].removeprefix("watcher heard "))
    assert first["eventType"] == "INVOKE"
    assert first["requestId"] == answers[0]["request_id"]
    assert first["invokedFunctionArn"].endswith(":function:plain")


def test_a_frozen_subscriber_gets_each_record_once(project: Project) -> None:
    install(project, "listener", SUBSCRIBER)
    project.write({"hello/app.py": SOURCE})
    settings = {"layers": ["./layer"], "max_environments": 1, "freeze": True}
    project.describe({"hello": settings})

    answers = [project.invoke("hello", {"n": number}) for number in range(3)]

    printed = lines(project, "hello")
    heard = [line for line in printed if line.startswith("listener heard ")][:2]
    records = [each for line in heard for each in json.loads(line.removeprefix("listener heard "))]
    started = [each["record"]["requestId"] for each in records if each["type"] == "platform.start"]
    reported = [
        each["record"]["requestId"] for each in records if each["type"] == "platform.report"
    ]
    ids = [answer["request_id"] for answer in answers]
    assert started == ids[:2]
    assert reported == ids[:1]
