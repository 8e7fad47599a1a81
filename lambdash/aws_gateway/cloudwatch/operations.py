"""CloudWatch's operations on the metrics of ``AWS/Lambda``."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lambdash import limits
from lambdash.aws_gateway.cloudwatch.reading import Wanted, functions, points
from lambdash.aws_gateway.cloudwatch.samples import UNITS
from lambdash.aws_gateway.cloudwatch.statistics import invalid, statistic, window
from lambdash.aws_gateway.errors import AwsError
from lambdash.aws_gateway.service import Call, Operation

_NAMESPACE = "AWS/Lambda"
_FUNCTION = "FunctionName"
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


async def get_metric_data(call: Call) -> dict[str, Any]:
    """``GetMetricData``: metrics, no expressions; newest first unless asked otherwise."""
    queries = call.parameters["MetricDataQueries"]
    _check_queries(queries)
    told = [query for query in queries if query.get("ReturnData", True)]
    wanted = [_of_query(call, query["MetricStat"]) for query in told]
    read = await call.emulator.journal.read(partial(points, wanted=wanted))
    most = min(call.parameters.get("MaxDatapoints", limits.METRIC_DATA_MAX), limits.METRIC_DATA_MAX)
    if sum(map(len, read)) > most:
        raise invalid("There are more datapoints than one answer holds: ask for fewer.")
    is_ascending = call.text("ScanBy") == "TimestampAscending"
    results = []
    for query, found in zip(told, read, strict=True):
        stat = query["MetricStat"]
        times = list(found) if is_ascending else list(reversed(found))
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label", stat["Metric"]["MetricName"]),
                "Timestamps": times,
                "Values": [found[at][stat["Stat"]] for at in times],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}


async def get_metric_statistics(call: Call) -> dict[str, Any]:
    """``GetMetricStatistics``: at most 1,440 periods."""
    parameters = call.parameters
    simple = parameters.get("Statistics", ())
    extended = parameters.get("ExtendedStatistics", ())
    if not simple and not extended:
        message = "At least one of the parameters Statistics and ExtendedStatistics must be given."
        raise AwsError("MissingParameter", message)
    asked = (parameters["EndTime"] - parameters["StartTime"]) / parameters["Period"]
    if asked > limits.METRIC_DATAPOINTS_MAX:
        message = (
            f"You have requested up to {int(asked):,} datapoints, which exceeds the limit of "
            f"{limits.METRIC_DATAPOINTS_MAX:,}. You may reduce the datapoints requested by "
            "increasing Period, or decreasing the time range."
        )
        raise AwsError("InvalidParameterCombination", message)
    wanted = _wanted(call, parameters, parameters["Period"], (*simple, *extended))
    (found,) = await call.emulator.journal.read(partial(points, wanted=[wanted]))
    unit = UNITS[wanted.metric]
    told = [_datapoint(at, unit, figures, simple, extended) for at, figures in found.items()]
    is_other = parameters.get("Unit", unit) != unit
    return {"Label": wanted.metric, "Datapoints": [] if is_other else told}


async def list_metrics(call: Call) -> dict[str, Any]:
    """``ListMetrics``: of each function that was invoked, and of all together."""
    names = await call.emulator.journal.read(functions)
    dimensions: list[list[dict[str, str]]] = [[]] if names else []
    dimensions += [[{"Name": _FUNCTION, "Value": name}] for name in names]
    metrics = [
        {"Namespace": _NAMESPACE, "MetricName": metric, "Dimensions": listed}
        for listed in dimensions
        for metric in UNITS
        if call.text("Namespace", _NAMESPACE) == _NAMESPACE
        and call.text("MetricName", metric) == metric
        and all(_has(listed, one) for one in call.parameters.get("Dimensions", ()))
    ]
    token = call.text("NextToken", "0")
    if not token.isdecimal() or len(token) > limits.PAGE_TOKEN_MAX_CHARS:
        raise invalid("The parameter NextToken is not valid.")
    start = int(token)
    end = start + limits.METRICS_LIST_ITEMS
    found: dict[str, Any] = {"Metrics": metrics[start:end]}
    return {**found, "NextToken": str(end)} if end < len(metrics) else found


def _check_queries(queries: Sequence[Mapping[str, Any]]) -> None:
    if len(queries) > limits.METRIC_QUERIES_MAX:
        raise invalid(f"There are more than {limits.METRIC_QUERIES_MAX} MetricDataQueries.")
    seen = set()
    for query in queries:
        if "MetricStat" not in query:
            raise invalid(f"Query {query['Id']}: expressions are not supported by lambdash yet.")
        if not _ID.fullmatch(query["Id"]) or query["Id"] in seen:
            raise invalid(f"The Id {query['Id']} must match [a-z][a-zA-Z0-9_]* and be unique.")
        seen.add(query["Id"])


def _of_query(call: Call, stat: Mapping[str, Any]) -> Wanted:
    wanted = _wanted(call, stat["Metric"], stat["Period"], [stat["Stat"]])
    if stat.get("Unit") not in (None, UNITS[wanted.metric]):
        raise invalid(f"The unit of {wanted.metric} is {UNITS[wanted.metric]}.")
    return wanted


def _wanted(
    call: Call, metric: Mapping[str, Any], period_s: int, statistics: Sequence[str]
) -> Wanted:
    """Raises ``AwsError`` for metrics, dimensions and statistics that are not kept."""
    within = window(call.parameters["StartTime"], call.parameters["EndTime"], period_s)
    if metric.get("Namespace") != _NAMESPACE:
        raise invalid(f"The metrics are those of {_NAMESPACE}: lambdash keeps no others.")
    name = metric.get("MetricName", "")
    if name not in UNITS:
        raise invalid(f"The metric {name} of {_NAMESPACE} is not kept by lambdash yet.")
    figures = {each: statistic(each) for each in statistics}
    return Wanted(name, _function(metric.get("Dimensions", ())), within, figures)


def _function(dimensions: Sequence[Mapping[str, str]]) -> str | None:
    """None stands for all of them."""
    for one in dimensions:
        if one["Name"] != _FUNCTION:
            raise invalid(f"The dimension {one['Name']} is not supported by lambdash yet.")
    return dimensions[0]["Value"] if dimensions else None


def _datapoint(
    at: float,
    unit: str,
    figures: Mapping[str, float],
    simple: Sequence[str],
    extended: Sequence[str],
) -> dict[str, Any]:
    point = {"Timestamp": at, "Unit": unit, **{name: figures[name] for name in simple}}
    if extended:
        point["ExtendedStatistics"] = {name: figures[name] for name in extended}
    return point


def _has(listed: Sequence[Mapping[str, str]], wanted: Mapping[str, str]) -> bool:
    return any(
        one["Name"] == wanted["Name"] and wanted.get("Value", one["Value"]) == one["Value"]
        for one in listed
    )


OPERATIONS: Mapping[str, Operation] = {
    "GetMetricData": get_metric_data,
    "GetMetricStatistics": get_metric_statistics,
    "ListMetrics": list_metrics,
}
