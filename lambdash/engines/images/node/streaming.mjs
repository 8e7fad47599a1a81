// Handlers that write their response as they make it (awslambda.streamifyResponse).
// https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html; the wire:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming

import process from "node:process";
import { Writable } from "node:stream";

import { logError } from "./console.mjs";
import { errorDocument, NodeJsExit } from "./errors.mjs";
import { contextOf } from "./invocation.mjs";

const MARK = Symbol.for("aws.lambda.runtime.handler.streaming");
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";
const METADATA_TYPE = "application/vnd.awslambda.http-integration-response";
const METADATA_END = new Uint8Array(8);

/** What functions find as the global `awslambda`. */
export const awslambda = {
  streamifyResponse(handler) {
    handler[MARK] = "response";
    return handler;
  },
  HttpResponseStream: {
    /** Status and headers of an HTTP response go before its body. */
    from(stream, metadata) {
      stream.setContentType(METADATA_TYPE);
      stream._onBeforeFirstWrite = (write) => {
        write(JSON.stringify(metadata));
        write(METADATA_END);
      };
      return stream;
    },
  },
};

export function isStreaming(handler) {
  return handler[MARK] === "response";
}

class ResponseStream extends Writable {
  #open;
  #request;
  #contentType = "application/octet-stream";
  #error;

  /** `open` makes the request to /response, given its headers. */
  constructor(open) {
    super();
    this.#open = open;
    // what a handler still writes after its error reaches nobody
    this.on("error", () => {});
  }

  setContentType(type) {
    if (this.#request !== undefined) {
      throw new Error("Cannot set content-type, too late.");
    }
    this.#contentType = type;
  }

  write(chunk, ...rest) {
    const isBytes = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(isBytes ? chunk : JSON.stringify(chunk), ...rest);
  }

  _write(chunk, _encoding, done) {
    if (this.#request === undefined) {
      this.#begin();
      this._onBeforeFirstWrite?.((piece) => this.#request.write(piece));
    }
    this.#request.write(chunk, done);
  }

  _final(done) {
    if (this.#request === undefined) {
      this.#begin();
    }
    if (this.#error !== undefined) {
      const body = Buffer.from(JSON.stringify(this.#error)).toString("base64");
      this.#request.addTrailers({ [ERROR_TYPE]: this.#error.errorType, [ERROR_BODY]: body });
    }
    this.#request.end(done);
  }

  /** End it with an error, after all that was written; too late once it has ended. */
  fail(error) {
    if (!this.writableEnded) {
      this.#error = errorDocument(error);
      this.end();
    }
  }

  #begin() {
    this.#request = this.#open({
      "Content-Type": this.#contentType,
      "Lambda-Runtime-Function-Response-Mode": "streaming",
      Trailer: [ERROR_TYPE, ERROR_BODY],
      "Transfer-Encoding": "chunked",
    });
  }
}

/** One invocation of such a handler. */
export class StreamingInvocation {
  #request;
  #stream;
  #answered;

  constructor(api, request) {
    this.#request = request;
    this.#answered = new Promise((resolve, reject) => {
      this.#stream = new ResponseStream((headers) => {
        const opened = api.openResponse(request.id, headers);
        opened.answered.then(resolve, reject);
        return opened.request;
      });
    });
  }

  /** Resolves when the answer was taken; rejects only when it could not be posted. */
  async run(handler) {
    const onEmpty = () => this.#fail(new NodeJsExit());
    process.on("beforeExit", onEmpty);
    try {
      this.#call(handler);
      await this.#answered;
    } finally {
      process.off("beforeExit", onEmpty);
    }
  }

  async #call(handler) {
    try {
      const event = JSON.parse(this.#request.body);
      const result = handler(event, this.#stream, contextOf(this.#request));
      if (typeof result?.then !== "function") {
        throw "Streaming does not support non-async handlers.";
      }
      if ((await result) !== undefined) {
        console.warn("Streaming handlers ignore return values.");
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    logError("Invoke Error", error);
    this.#stream.fail(error);
  }
}
