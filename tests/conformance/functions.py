"""The functions that the tables are run with."""

PYTHON = """
import json, os, signal, sys, time

count = 0


def handler(event, context):
    global count
    count += 1
    return globals()["do_" + event["do"]](event, context)


def do_return(event, context):
    return event.get("value")


def do_raise(event, context):
    raise KeyError("asked to")


def do_exit(event, context):
    os._exit(event["code"])


def do_signal(event, context):
    os.kill(os.getpid(), event["number"])
    time.sleep(60)


def do_fill(event, context):
    held = [b"x" * 4 * 1024 * 1024 for _ in range(100)]  # a bound, should nothing else stop it
    time.sleep(60)
    return len(held)


def do_hang(event, context):
    print("going to sleep", flush=True)
    time.sleep(60)


def do_set(event, context):
    return {1, 2}


def do_large(event, context):
    return "x" * event["bytes"]


def do_print(event, context):
    print(event["text"])
    return "printed"


def do_count(event, context):
    before = os.path.exists("/tmp/kept") or os.path.exists(os.environ.get("TMPDIR", "/") + "/kept")
    with open(os.environ.get("TMPDIR", "/tmp") + "/kept", "w") as kept:
        kept.write("x")
    return {"count": count, "kept": before, "pid": os.getpid()}


def do_variables(event, context):
    return {"variables": dict(os.environ), "folder": os.getcwd()}


def do_context(event, context):
    client, identity = context.client_context, context.identity
    return {
        "memory": context.memory_limit_in_mb,
        "version": context.function_version,
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "group": context.log_group_name,
        "stream": context.log_stream_name,
        "remaining": context.get_remaining_time_in_millis(),
        "custom": client and client.custom,
        "identity": identity and identity.cognito_identity_id,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "request": context.aws_request_id,
    }


def do_user(event, context):
    import getpass
    refused = []
    for folder in ("/var/task", "/opt", "/var/runtime", "/"):
        try:
            open(folder + "/written", "w").close()
        except OSError:
            refused.append(folder)
    return {"uid": os.getuid(), "user": getpass.getuser(), "refused": refused}


def do_limits(event, context):
    import resource
    return {
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        "tmp": os.statvfs("/tmp").f_frsize * os.statvfs("/tmp").f_blocks,
    }
"""
SLOW_INIT = """
import os, time

MARK = os.environ.get("TMPDIR", "/tmp") + "/second"
if not os.path.exists(MARK):
    open(MARK, "w").close()
    time.sleep(60)


def handler(event, context):
    return "initialised at last"
"""
BOOTSTRAP = """#!/bin/sh
# a runtime as AWS's tutorial writes it
# https://docs.aws.amazon.com/lambda/latest/dg/runtimes-walkthrough.html
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  headers=$(mktemp)
  event=$(curl -sS -LD "$headers" "$api/next")
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$headers" | tr -d '[:space:]' | cut -d: -f2)
  case "$event" in
    *crash*) exit 9 ;;
    *fail*)
      document='{"errorType":"Shell.Failed","errorMessage":"asked to"}'
      curl -sS "$api/$id/error" -d "$document" > /dev/null ;;
    *variables*)
      names=$(env | cut -d= -f1 | sed 's/.*/"&"/' | paste -sd,)
      curl -sS "$api/$id/response" -d "[$names]" > /dev/null ;;
    *late*)
      curl -sS "$api/0123/response" -d '"not mine"'
      curl -sS "$api/$id/response" -d '"mine"' > /dev/null ;;
    *) curl -sS "$api/$id/response" -d "{\\"echo\\": $event}" > /dev/null ;;
  esac
done
"""
NODE = """
export const handler = async (event, context) => {
  if (event.do === "raise") throw new TypeError("asked to");
  if (event.do === "exit") process.exit(event.code);
  console.log("seen");
  return { request: context.awsRequestId, memory: context.memoryLimitInMB };
};
"""
