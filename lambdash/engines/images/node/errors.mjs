// Errors under AWS's names, and the documents they are reported as.

import util from "node:util";

function named(name) {
  return class extends Error {
    constructor(message) {
      super(message);
      this.name = name;
    }
  };
}

export const ImportModuleError = named("Runtime.ImportModuleError");
export const HandlerNotFound = named("Runtime.HandlerNotFound");
export const MalformedHandlerName = named("Runtime.MalformedHandlerName");
export const UserCodeSyntaxError = named("Runtime.UserCodeSyntaxError");

export class UnhandledPromiseRejection extends Error {
  constructor(reason, promise) {
    super(String(reason));
    this.name = "Runtime.UnhandledPromiseRejection";
    this.reason = reason;
    this.promise = promise;
  }
}

export class NodeJsExit extends Error {
  constructor() {
    super(
      "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly " +
        "caused by a Promise that was never settled. For more information, see " +
        "https://nodejs.org/docs/latest/api/process.html#exit-codes",
    );
    this.name = "Runtime.NodeJsExit";
  }
}

export class CallbackHandlerDeprecated extends Error {
  constructor() {
    super(
      "AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. " +
        "You will need to modify this function to use a supported handler signature to use Node.js 24 " +
        "or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
    this.name = "Runtime.CallbackHandlerDeprecated";
  }
}

export function isError(value) {
  return util.types.isNativeError(value) || value instanceof Error;
}

/** The JSON body of /error and /init/error. */
export function errorDocument(error) {
  try {
    if (isError(error)) {
      return {
        errorType: escaped(error.name),
        errorMessage: escaped(error.message),
        trace: escaped(error.stack ?? "").split("\n"),
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return {
      errorType: "handled",
      errorMessage:
        "callback called with Error argument, but there was a problem while retrieving one or more " +
        "of its message, name, and stack",
    };
  }
}

/** What AWS's log shows after the label: a tab and the error as one JSON object. */
export function errorLogLine(error) {
  try {
    return `\t${JSON.stringify(isError(error) ? error : new Error(String(error)), expanded)}`;
  } catch {
    return "\tfailed to format the error as JSON";
  }
}

function expanded(_key, value) {
  if (!isError(value)) {
    return value;
  }
  const shown = { errorType: value.name, errorMessage: value.message, code: value.code, ...value };
  if (typeof value.stack === "string") {
    shown.stack = value.stack.split("\n");
  }
  return shown;
}

/** The X-Ray cause, for its header. */
export function xrayCause(error) {
  const frames = stackFrames(error);
  return JSON.stringify({
    working_directory: process.cwd(),
    exceptions: [{ type: error?.name, message: error?.message, stack: frames }],
    paths: [...new Set(frames.map((frame) => frame.path))],
  });
}

const FRAME = /^\s*at (?:(.*?) \()?(?:file:\/\/)?([^()]*?):(\d+)(?::\d+)?\)?$/;

function stackFrames(error) {
  const lines = typeof error?.stack === "string" ? error.stack.split("\n").slice(1) : [];
  return lines
    .map((line) => FRAME.exec(line))
    .filter((match) => match !== null)
    .map(([, label, path, line]) => ({
      path,
      line: Number.parseInt(line, 10),
      label: label ?? "anonymous",
    }));
}

function escaped(text) {
  return String(text).replaceAll("\x7F", "%7F");
}
