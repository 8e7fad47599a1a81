"""CloudWatch Logs, read: the logs of real turns over the engine in memory, through boto3."""

from typing import Any

import pytest

from tests.aws_gateway.conftest import Aws

GROUP = "/aws/lambda/hello"


@pytest.fixture
async def talking(aws: Aws) -> Aws:
    """One environment, which served three invocations that each said something."""
    await aws.rig.deploy()
    for number in range(3):
        await aws.rig.invoke()
        sandbox = next(iter(aws.rig.engine.sandboxes.values()))
        sandbox.print(f"said {number}\n")
    return aws


async def stream_of(aws: Aws) -> str:
    found = await aws.call("logs", "describe_log_streams", logGroupName=GROUP)
    name: str = found["logStreams"][0]["logStreamName"]
    return name


def texts(answer: dict[str, Any]) -> list[str]:
    """What each event is about: platform lines by their first word."""
    return [
        event["message"].strip() if "said" in event["message"] else event["message"].split(" ")[0]
        for event in answer["events"]
    ]


async def test_groups_and_streams(talking: Aws) -> None:
    aws = talking
    (group,) = (await aws.call("logs", "describe_log_groups", logGroupNamePrefix="/aws/"))[
        "logGroups"
    ]
    assert group["logGroupName"] == GROUP
    assert group["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}:*"
    (stream,) = (
        await aws.call(
            "logs",
            "describe_log_streams",
            logGroupName=GROUP,
            orderBy="LastEventTime",
            descending=True,
            limit=1,
        )
    )["logStreams"]
    assert "[$LATEST]" in stream["logStreamName"]
    assert stream["firstEventTimestamp"] <= stream["lastEventTimestamp"]
    assert group["creationTime"] <= stream["creationTime"]
    for parameters in ({"logGroupNamePrefix": "/other"}, {"logGroupNamePattern": "HELLO"}):
        assert (await aws.call("logs", "describe_log_groups", **parameters))["logGroups"] == []
    by_arn = await aws.call("logs", "describe_log_streams", logGroupIdentifier=group["logGroupArn"])
    assert len(by_arn["logStreams"]) == 1
    named = await aws.call(
        "logs", "describe_log_streams", logGroupName=GROUP, logStreamNamePrefix="1999/"
    )
    assert named["logStreams"] == []


async def test_pages_of_groups(talking: Aws) -> None:
    aws = talking
    await aws.rig.deploy("other")
    await aws.rig.invoke("other")
    first = await aws.call("logs", "describe_log_groups", limit=1)
    rest = await aws.call("logs", "describe_log_groups", nextToken=first["nextToken"])
    names = [group["logGroupName"] for page in (first, rest) for group in page["logGroups"]]
    assert names == [GROUP, "/aws/lambda/other"]
    assert "nextToken" not in rest


async def test_a_group_is_filtered_by_terms(talking: Aws) -> None:
    aws = talking
    everything = await aws.call("logs", "filter_log_events", logGroupName=GROUP)
    found = texts(everything)
    assert found.count("START") == found.count("REPORT") == 3
    event = everything["events"][0]
    assert event["logStreamName"] == await stream_of(aws)
    assert event["ingestionTime"] == event["timestamp"] > 1_600_000_000_000
    ids = [event["eventId"] for event in everything["events"]]
    assert len(set(ids)) == len(ids)
    for pattern, expected in (
        ("said", ["said 0", "said 1", "said 2"]),
        ("said -1", ["said 0", "said 2"]),
        ('"said 2"', ["said 2"]),
        ("nothing", []),
    ):
        answer = await aws.call(
            "logs", "filter_log_events", logGroupName=GROUP, filterPattern=pattern
        )
        assert texts(answer) == expected


async def test_pages_of_a_filter_have_every_event_once(talking: Aws) -> None:
    aws = talking
    everything = await aws.call("logs", "filter_log_events", logGroupName=GROUP)
    seen: list[Any] = []
    token: dict[str, str] = {}
    for _ in everything["events"]:
        page = await aws.call("logs", "filter_log_events", logGroupName=GROUP, limit=4, **token)
        seen += page["events"]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert seen == everything["events"]


async def test_polling_from_the_last_event_on_as_tail_does(talking: Aws) -> None:
    aws = talking
    first = await aws.call("logs", "filter_log_events", logGroupName=GROUP)
    seen = {event["eventId"] for event in first["events"]}
    newest = max(event["timestamp"] for event in first["events"])
    await aws.rig.invoke()
    next(iter(aws.rig.engine.sandboxes.values())).print("said later\n")
    again = await aws.call("logs", "filter_log_events", logGroupName=GROUP, startTime=newest)
    again["events"] = [event for event in again["events"] if event["eventId"] not in seen]
    assert sorted(texts(again)) == ["END", "REPORT", "START", "said later"]
    stream = await stream_of(aws)
    ended = await aws.call(
        "logs", "filter_log_events", logGroupName=GROUP, logStreamNames=[stream], endTime=newest
    )
    assert {event["eventId"] for event in ended["events"]} == seen


async def test_one_stream_from_its_head_and_from_its_end(talking: Aws) -> None:
    aws = talking
    named = {"logGroupName": GROUP, "logStreamName": await stream_of(aws)}
    whole = await aws.call("logs", "get_log_events", **named, startFromHead=True)
    assert texts(whole)[:2] == ["INIT_START", "START"]
    first = await aws.call("logs", "get_log_events", **named, startFromHead=True, limit=5)
    token = first["nextForwardToken"]
    rest = await aws.call("logs", "get_log_events", **named, nextToken=token)
    assert first["events"] + rest["events"] == whole["events"]
    end = await aws.call("logs", "get_log_events", **named, nextToken=rest["nextForwardToken"])
    assert (end["events"], end["nextForwardToken"]) == ([], rest["nextForwardToken"])
    newest = await aws.call("logs", "get_log_events", **named, limit=5)
    assert newest["events"] == whole["events"][-5:]
    older = await aws.call("logs", "get_log_events", **named, nextToken=newest["nextBackwardToken"])
    assert older["events"] + newest["events"] == whole["events"]
    start = older["nextBackwardToken"]
    before = await aws.call("logs", "get_log_events", **named, nextToken=start)
    assert (before["events"], before["nextBackwardToken"]) == ([], start)
    late = whole["events"][-1]["timestamp"] + 1
    after = await aws.call("logs", "get_log_events", **named, startTime=late)
    assert after["events"] == []
    early = await aws.call("logs", "get_log_events", **named, endTime=1)
    assert early["events"] == []


async def test_what_is_not_there(talking: Aws) -> None:
    aws = talking
    no_group = ("ResourceNotFoundException", "The specified log group does not exist.")
    no_stream = ("ResourceNotFoundException", "The specified log stream does not exist.")
    assert await aws.refused("logs", "filter_log_events", logGroupName="/no") == no_group
    assert await aws.refused("logs", "describe_log_streams", logGroupName="/no") == no_group
    named = {"logGroupName": GROUP}
    assert await aws.refused("logs", "get_log_events", **named, logStreamName="no") == no_stream
    found = await aws.refused("logs", "filter_log_events", **named, logStreamNames=["no"])
    assert found == no_stream


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        ("filter_log_events", {"filterPattern": "{ $.level = 1 }"}, "JSON members"),
        ("filter_log_events", {"filterPattern": '"open'}, "not a filter"),
        ("filter_log_events", {"nextToken": "x"}, "nextToken is invalid"),
        ("filter_log_events", {"startFromHead": False}, "startFromHead=false"),
        ("filter_log_events", {"limit": 0}, "Value '0' at 'limit'"),
        ("filter_log_events", {"logGroupIdentifier": GROUP}, "Exactly one of"),
        ("filter_log_events", {"logStreamNames": ["a"], "logStreamNamePrefix": "a"}, "both"),
        ("describe_log_streams", {"nextToken": "x"}, "nextToken is invalid"),
        ("describe_log_streams", {"nextToken": "9" * 5_000}, "nextToken is invalid"),
        (
            "describe_log_streams",
            {"orderBy": "LastEventTime", "logStreamNamePrefix": "a"},
            "Cannot order by LastEventTime",
        ),
    ],
)
async def test_refusals(
    talking: Aws, operation: str, parameters: dict[str, Any], message: str
) -> None:
    code, told = await talking.refused("logs", operation, logGroupName=GROUP, **parameters)
    assert code == "InvalidParameterException"
    assert message in told


async def test_writing_is_refused_by_name(aws: Aws) -> None:
    for operation, parameters in (
        ("create_log_group", {"logGroupName": "x"}),
        ("create_log_stream", {"logGroupName": "x", "logStreamName": "y"}),
        ("put_retention_policy", {"logGroupName": "x", "retentionInDays": 7}),
    ):
        code, message = await aws.refused("logs", operation, **parameters)
        assert code == "NotImplementedException"
        assert operation.replace("_", "") in message.lower()


async def test_garbage_is_refused_in_json(aws: Aws) -> None:
    for body, operation in (
        ("{", "FilterLogEvents"),
        ("[" * 100_000, "FilterLogEvents"),
        ('{"logGroupName": 1}', "FilterLogEvents"),
        ('{"startTime": 1e999}', "FilterLogEvents"),
        ("{}", "Nonsense"),
    ):
        status, answer = await aws.post(body, X_Amz_Target=f"Logs_20140328.{operation}")
        assert (status, b'"__type"' in answer) == (400, True)
