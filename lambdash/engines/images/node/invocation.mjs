// One invocation: the handler's context, its ways to end, and what is posted for each.

import process from "node:process";

import { logError } from "./console.mjs";
import { NodeJsExit } from "./errors.mjs";

export class Invocation {
  #api;
  #request;
  #callbacksAllowed;
  #settled = false;
  #finished;
  #finish;
  // What happens when the event loop runs empty before the handler has ended.
  #whenEmpty = undefined;
  #waitsForEmptyEventLoop = true;

  constructor(api, request, callbacksAllowed) {
    this.#api = api;
    this.#request = request;
    this.#callbacksAllowed = callbacksAllowed;
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = { resolve, reject };
    });
  }

  /** Resolves when the answer was posted; rejects only when it could not be. */
  async run(handler) {
    const onEmpty = () => this.#whenEmpty?.();
    process.on("beforeExit", onEmpty);
    try {
      this.#start(handler);
      await this.#finished;
    } finally {
      process.off("beforeExit", onEmpty);
    }
  }

  #start(handler) {
    this.#whenEmpty = () =>
      this.#usesCallback(handler) ? this.#succeed(null) : this.#fail(new NodeJsExit());
    try {
      const result = this.#call(handler);
      if (typeof result?.then === "function") {
        result.then(
          (value) => this.#succeed(value),
          (error) => this.#fail(error),
        );
      } else if (!this.#callbacksAllowed) {
        this.#succeed(result);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #usesCallback(handler) {
    return this.#callbacksAllowed && handler.constructor.name !== "AsyncFunction";
  }

  #call(handler) {
    const event = JSON.parse(this.#request.body);
    const context = contextOf(this.#request);
    if (!this.#callbacksAllowed) {
      return handler(event, context);
    }
    return handler(event, this.#withCallbacks(context), (error, result) =>
      this.#callback(error, result),
    );
  }

  #callback(error, result) {
    const end = () => this.#done(error, result);
    if (this.#waitsForEmptyEventLoop) {
      this.#whenEmpty = end;
    } else {
      end();
    }
  }

  #done(error, result) {
    if (error === undefined || error === null) {
      this.#succeed(result);
    } else {
      this.#fail(error);
    }
  }

  #succeed(value) {
    let text;
    try {
      text = JSON.stringify(value === undefined ? null : value);
    } catch {
      this.#fail(new Error("Unable to stringify response body"));
      return;
    }
    // functions and symbols have no JSON at all
    this.#settle(() => this.#api.response(this.#request.id, text ?? ""));
  }

  #fail(error) {
    this.#settle(() => {
      logError("Invoke Error", error);
      return this.#api.invocationError(this.#request.id, error);
    });
  }

  #settle(post) {
    if (this.#settled) {
      return;
    }
    this.#settled = true;
    this.#whenEmpty = undefined;
    post().then(this.#finish.resolve, this.#finish.reject);
  }

  #withCallbacks(context) {
    Object.defineProperty(context, "callbackWaitsForEmptyEventLoop", {
      enumerable: true,
      get: () => this.#waitsForEmptyEventLoop,
      set: (value) => {
        this.#waitsForEmptyEventLoop = Boolean(value);
      },
    });
    return Object.assign(context, {
      done: (error, result) => this.#done(error, result),
      succeed: (result) => this.#done(null, result),
      fail: (error) => this.#done(error ?? "handled"),
    });
  }
}

/** The handler's context. */
export function contextOf(request) {
  const { id, deadlineMs, functionArn, clientContext, identity, tenantId } = request;
  return {
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(clientContext, "client context"),
    identity: parsed(identity, "cognito identity"),
    invokedFunctionArn: functionArn,
    awsRequestId: id,
    tenantId,
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

function parsed(header, what) {
  if (!header) {
    return undefined;
  }
  try {
    return JSON.parse(header);
  } catch (error) {
    throw new Error(`Cannot parse ${what} as json: ${error}`);
  }
}
