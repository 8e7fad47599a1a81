// console.* as AWS's text format writes it: time, request id, level, text, parted by tabs.
// Line ends in a text stay, as CloudWatch shows them: there, one call is one event.

import process from "node:process";
import util from "node:util";

import { errorLogLine } from "./errors.mjs";

const LEVELS = {
  log: "INFO",
  debug: "DEBUG",
  info: "INFO",
  warn: "WARN",
  error: "ERROR",
  trace: "TRACE",
};

let requestId;

export function setRequestId(id) {
  requestId = id;
}

function write(level, text) {
  process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}\n`);
}

export function patchConsole() {
  for (const [method, level] of Object.entries(LEVELS)) {
    console[method] = (...values) => write(level, util.format(...values));
  }
}

export function logError(label, error) {
  write("ERROR", `${label} ${errorLogLine(error)}`);
}
