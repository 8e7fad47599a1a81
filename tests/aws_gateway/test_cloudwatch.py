"""CloudWatch's metrics of functions: what each counts, and how boto3 is told."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lambdash.aws_gateway.cloudwatch.samples import Sample, samples
from lambdash.aws_gateway.cloudwatch.statistics import Window, periods, statistic, window
from lambdash.aws_gateway.errors import AwsError
from lambdash.storage.journal import JournalEntry
from tests.aws_gateway.conftest import Aws

SCOPE = "AWS4-HMAC-SHA256 Credential=x/1/us-east-1/monitoring/aws4_request"


def entry(outcome: str, at: float, lasted_s: float | None = None) -> JournalEntry:
    marks: Mapping[str, float] = {"received": 0.0, "responded": lasted_s or 0.0}
    if lasted_s is not None:
        marks = {**marks, "dispatched": 0.0}
    return JournalEntry("id", "hello", "r", "e", None, outcome, "warm", at, dict(marks), None, None)


ENTRIES = (
    entry("succeeded", 100, 10),
    entry("function_failed", 105, 2),
    entry("timed_out", 110, 3),
    entry("throttled", 111),
    entry("init_failed", 112),
    entry("platform_failed", 113),
)


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("Invocations", [1, 1, 1, 1]),
        ("Errors", [0, 1, 1, 1]),
        ("Throttles", [0, 0, 0, 1, 0, 0]),
        ("Duration", [10_000, 2_000, 3_000]),
        ("ConcurrentExecutions", [1, 2, 1]),
    ],
)
def test_what_each_metric_counts(metric: str, values: list[float]) -> None:
    assert [sample.value for sample in samples(metric, ENTRIES)] == values


def test_periods_begin_at_the_minute_asked_for_and_leave_out_empty_ones() -> None:
    within = window(130, 600, 120)
    assert within == Window(120, 600, 120)
    given = [Sample(at, at) for at in (600, 119, 120, 239.5, 240, 599)]
    assert periods(given, within) == {120: [120, 239.5], 240: [240], 480: [599]}


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("Average", 2.5), ("Maximum", 4), ("Minimum", 1), ("SampleCount", 4), ("Sum", 10),
        ("p0", 1), ("p50", 2.5), ("p100", 4), ("p99.9", 3.997),
    ],
)  # fmt: skip
def test_statistics(name: str, figure: float) -> None:
    assert statistic(name)([4, 1, 3, 2]) == pytest.approx(figure)


@pytest.mark.parametrize("name", ["p101", "tm99", "Mean", "p", "IQM"])
def test_statistics_that_are_not_there(name: str) -> None:
    with pytest.raises(AwsError, match="not valid"):
        statistic(name)


def times() -> dict[str, datetime]:
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(minutes=1)}


def query(metric: str, stat: str = "Sum", function: str | None = "hello") -> dict[str, Any]:
    dimensions = [] if function is None else [{"Name": "FunctionName", "Value": function}]
    return {
        "Id": metric.lower(),
        "MetricStat": {
            "Metric": {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": dimensions},
            "Period": 3600,
            "Stat": stat,
        },
    }


@pytest.fixture
async def used(aws: Aws) -> Aws:
    """Three invocations of one function, one of another."""
    await aws.rig.deploy()
    await aws.rig.deploy("other")
    for name in ("hello", "hello", "hello", "other"):
        await aws.rig.invoke(name)
    return aws


async def test_metric_data(used: Aws) -> None:
    queries = [
        query("Invocations"),
        query("Errors"),
        query("Duration", "p90"),
        query("ConcurrentExecutions", "Maximum"),
        {**query("Throttles", function=None), "Label": "refused"},
        {**query("Invocations", function=None), "Id": "all"},
        {**query("Invocations", function="nobody"), "Id": "none"},
        {**query("Invocations"), "Id": "hidden", "ReturnData": False},
    ]
    found = await used.call("cloudwatch", "get_metric_data", MetricDataQueries=queries, **times())
    results = {result["Id"]: result for result in found["MetricDataResults"]}
    assert "hidden" not in results
    values = {name: result["Values"] for name, result in results.items()}
    assert 0 < values.pop("duration")[0] < 10_000
    assert values == {
        "invocations": [3],
        "errors": [0],
        "concurrentexecutions": [1],
        "throttles": [0],
        "all": [4],
        "none": [],
    }
    assert results["throttles"]["Label"] == "refused"
    assert results["all"]["Label"] == "Invocations"
    assert results["all"]["StatusCode"] == "Complete"
    (at,) = results["all"]["Timestamps"]
    assert at.second == at.microsecond == 0


async def test_metric_statistics(used: Aws) -> None:
    asked = {"Namespace": "AWS/Lambda", "MetricName": "Duration", "Period": 3600, **times()}
    found = await used.call(
        "cloudwatch",
        "get_metric_statistics",
        **asked,
        Dimensions=[{"Name": "FunctionName", "Value": "hello"}],
        Statistics=["Average", "Minimum", "Maximum", "SampleCount"],
        ExtendedStatistics=["p50"],
    )
    (point,) = found["Datapoints"]
    assert found["Label"] == "Duration"
    assert point["Unit"] == "Milliseconds"
    assert point["SampleCount"] == 3
    assert point["Minimum"] <= point["ExtendedStatistics"]["p50"] <= point["Maximum"]
    other = await used.call(
        "cloudwatch", "get_metric_statistics", **asked, Statistics=["Sum"], Unit="Count"
    )
    assert other["Datapoints"] == []


async def test_lists_of_metrics(used: Aws) -> None:
    found = (await used.call("cloudwatch", "list_metrics", Namespace="AWS/Lambda"))["Metrics"]
    assert len(found) == 15
    named = await used.call(
        "cloudwatch",
        "list_metrics",
        MetricName="Errors",
        Dimensions=[{"Name": "FunctionName", "Value": "other"}],
    )
    assert named["Metrics"] == [
        {
            "Namespace": "AWS/Lambda",
            "MetricName": "Errors",
            "Dimensions": [{"Name": "FunctionName", "Value": "other"}],
        }
    ]
    assert (await used.call("cloudwatch", "list_metrics", Namespace="Mine"))["Metrics"] == []


async def test_as_forms(used: Aws) -> None:
    span = times()
    stat = "&MetricDataQueries.member.1.MetricStat."
    body = (
        "Action=GetMetricData&MetricDataQueries.member.1.Id=a"
        f"{stat}Metric.Namespace=AWS/Lambda{stat}Metric.MetricName=Invocations"
        f"{stat}Metric.Dimensions.member.1.Name=FunctionName"
        f"{stat}Metric.Dimensions.member.1.Value=hello{stat}Period=3600{stat}Stat=Sum"
        f"&StartTime={span['StartTime']:%Y-%m-%dT%H:%M:%SZ}"
        f"&EndTime={span['EndTime']:%Y-%m-%dT%H:%M:%SZ}"
    )
    status, answer = await used.post(body, Authorization=SCOPE)
    assert status == 200, answer
    assert b"<Values><member>3.0</member></Values>" in answer
    assert b"<Timestamps><member>20" in answer


async def test_cbor_is_refused_by_name(aws: Aws) -> None:
    status, answer = await aws.post("", Authorization=SCOPE, Smithy_Protocol="rpc-v2-cbor")
    assert (status, b"not in CBOR" in answer) == (501, True)


def without(*names: str, **changes: Any) -> dict[str, Any]:
    """A query of one metric with parts of it changed."""
    found = query("Invocations")
    found["MetricStat"] |= {key: value for key, value in changes.items() if key != "Metric"}
    found["MetricStat"]["Metric"] |= changes.get("Metric", {})
    return {name: value for name, value in found.items() if name not in names}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({**without("MetricStat"), "Expression": "a/b"}, "expressions are not supported"),
        ({**without(), "Id": "A"}, "must match"),
        (without(Period=90), "multiple of 60"),
        (without(Stat="tm99"), "statistic tm99"),
        (without(Unit="Bytes"), "unit of Invocations is Count"),
        (without(Metric={"Namespace": "Mine"}), "keeps no others"),
        (without(Metric={"MetricName": "IteratorAge"}), "IteratorAge"),
        (without(Metric={"Dimensions": [{"Name": "Resource", "Value": "a:b"}]}), "Resource"),
    ],
)
async def test_queries_that_are_refused(aws: Aws, asked: dict[str, Any], message: str) -> None:
    code, told = await aws.refused(
        "cloudwatch", "get_metric_data", MetricDataQueries=[asked], **times()
    )
    assert code == "InvalidParameterValue"
    assert message in told


async def test_other_refusals(used: Aws) -> None:
    asked = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Period": 60, **times()}
    code, _ = await used.refused("cloudwatch", "get_metric_statistics", **asked)
    assert code == "MissingParameter"
    long_ago = {**asked, "StartTime": datetime(2020, 1, 1, tzinfo=UTC), "Statistics": ["Sum"]}
    code, _ = await used.refused("cloudwatch", "get_metric_statistics", **long_ago)
    assert code == "InvalidParameterCombination"
    backwards = {"StartTime": asked["EndTime"], "EndTime": asked["StartTime"]}
    for parameters in (
        {"MetricDataQueries": [query("Errors")], **backwards},
        {"MetricDataQueries": [query("Errors")] * 2, **times()},
        {"MetricDataQueries": [query("Errors")] * 501, **times()},
        {"MetricDataQueries": [query("Errors")], "MaxDatapoints": 0, **times()},
    ):
        code, _ = await used.refused("cloudwatch", "get_metric_data", **parameters)
        assert code == "InvalidParameterValue"
    assert (await used.refused("cloudwatch", "list_metrics", NextToken="x"))[0] == (
        "InvalidParameterValue"
    )
    code, message = await used.refused(
        "cloudwatch", "put_metric_data", Namespace="Mine", MetricData=[]
    )
    assert (code, "PutMetricData" in message) == ("NotImplementedException", True)
