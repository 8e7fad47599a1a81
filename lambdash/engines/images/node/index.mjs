// Node.js runtime client of lambdash: serves invocations of the Lambda Runtime API (2018-06-01)
// one at a time. Shapes and wording follow AWS's own client for Node.js.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
// Unlike there, timers the handler left behind run on while the next invocation is awaited: AWS
// freezes the whole environment then. AWS's SDK is not included: functions bring their own.

import process from "node:process";

import { RuntimeApi } from "./api.mjs";
import { logError, patchConsole, setRequestId } from "./console.mjs";
import { Invocation } from "./invocation.mjs";
import { CallbackHandlerDeprecated, UnhandledPromiseRejection } from "./errors.mjs";
import { loadHandler } from "./handler.mjs";
import { awslambda, isStreaming, StreamingInvocation } from "./streaming.mjs";

const CALLBACKS_END_AT_MAJOR = 24;
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;

const major = Number.parseInt(process.versions.node, 10);
const callbacksAllowed = major < CALLBACKS_END_AT_MAJOR;
const api = new RuntimeApi(process.env.AWS_LAMBDA_RUNTIME_API);

// What an error outside of any handler's own turn is reported to.
let report = (error) => api.initError(error);

async function die(label, error, exitCode) {
  logError(label, error);
  try {
    await report(error);
  } finally {
    process.exit(exitCode);
  }
}

process.on("uncaughtException", (error) =>
  die("Uncaught Exception", error, EXIT_UNCAUGHT_EXCEPTION),
);
process.on("unhandledRejection", (reason, promise) =>
  die(
    "Unhandled Promise Rejection",
    new UnhandledPromiseRejection(reason, promise),
    EXIT_UNHANDLED_REJECTION,
  ),
);

globalThis.awslambda = awslambda;

async function serve() {
  patchConsole();
  const root = process.env.LAMBDA_TASK_ROOT ?? process.cwd();
  const handler = await loadHandler(root, process.env._HANDLER ?? "");
  const streaming = isStreaming(handler);
  if (!callbacksAllowed && !streaming && handler.length >= 3) {
    throw new CallbackHandlerDeprecated();
  }
  for (;;) {
    const request = await api.next();
    setRequestId(request.id);
    report = (error) => api.invocationError(request.id, error);
    if (request.traceId) {
      process.env._X_AMZN_TRACE_ID = request.traceId;
    } else {
      delete process.env._X_AMZN_TRACE_ID;
    }
    const invocation = streaming
      ? new StreamingInvocation(api, request)
      : new Invocation(api, request, callbacksAllowed);
    await invocation.run(handler);
  }
}

serve().catch((error) => die("Uncaught Exception", error, EXIT_UNCAUGHT_EXCEPTION));
