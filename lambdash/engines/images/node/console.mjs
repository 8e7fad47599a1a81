// console.* as AWS's client writes it: time, request id, level and text, parted by tabs, or one
// JSON object a line where AWS_LAMBDA_LOG_FORMAT says so. Line ends in a text stay, as CloudWatch
// shows them: there, one call is one event.
// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html

import process from "node:process";
import util from "node:util";

import { errorDocument, errorLogLine, isError } from "./errors.mjs";

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const METHODS = {
  log: "INFO",
  debug: "DEBUG",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
  trace: "TRACE",
  fatal: "FATAL",
};
const inJson = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === "JSON";
const least = LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase());

let requestId;

export function setRequestId(id) {
  requestId = id;
}

function writeText(level, values) {
  const text = util.format(...values);
  process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n`);
}

function writeJson(level, values) {
  const entry = { timestamp: new Date().toISOString(), level, requestId };
  entry.message = values.length === 1 ? values[0] : util.format(...values);
  if (values.length > 1) {
    const error = values.find(isError);
    if (error !== undefined) {
      Object.assign(entry, shown(error));
    }
  }
  let line;
  try {
    line = JSON.stringify(entry, (_key, value) => (isError(value) ? shown(value) : value));
  } catch {
    line = JSON.stringify({ ...entry, message: util.format(...values) });
  }
  process.stdout.write(`${line}\n`);
}

function shown(error) {
  const { errorType, errorMessage, trace } = errorDocument(error);
  return { errorType, errorMessage, stackTrace: trace };
}

export function patchConsole() {
  const write = inJson ? writeJson : writeText;
  for (const [method, level] of Object.entries(METHODS)) {
    const isKept = LEVELS.indexOf(level) >= least;
    console[method] = isKept ? (...values) => write(level, values) : () => {};
  }
}

export function logError(label, error) {
  if (inJson) {
    writeJson("ERROR", [error]);
  } else {
    writeText("ERROR", [`${label} ${errorLogLine(error)}`]);
  }
}
