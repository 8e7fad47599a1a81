// The Runtime API over one kept-alive connection.

import http from "node:http";

import { errorDocument, xrayCause } from "./errors.mjs";

const PREFIX = "/2018-06-01/runtime";
// AWS's client allows 1 MiB; a header line that long is more than HTTP servers read
const XRAY_CAUSE_MAX_CHARS = 16 * 1024;

export class RuntimeApi {
  // two: an error found while /next waits must not queue behind it
  #agent = new http.Agent({ keepAlive: true, maxSockets: 2, noDelay: true });
  #target;

  constructor(address) {
    const at = address.lastIndexOf(":");
    this.#target = { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
  }

  /** Waits for the next invocation. */
  async next() {
    const { status, headers, body } = await this.#send("GET", "/invocation/next");
    if (status !== 200) {
      throw new Error(`the Runtime API answered ${status} to /next: ${body}`);
    }
    return {
      id: headers["lambda-runtime-aws-request-id"],
      deadlineMs: Number(headers["lambda-runtime-deadline-ms"]),
      functionArn: headers["lambda-runtime-invoked-function-arn"],
      traceId: headers["lambda-runtime-trace-id"],
      clientContext: headers["lambda-runtime-client-context"],
      identity: headers["lambda-runtime-cognito-identity"],
      tenantId: headers["lambda-runtime-aws-tenant-id"],
      body,
    };
  }

  response(id, text) {
    return this.#post(`/invocation/${id}/response`, text, {});
  }

  /** A response in pieces: the request to write them to, and a promise of its being answered. */
  openResponse(id, headers) {
    const path = `/invocation/${id}/response`;
    let request;
    const answered = new Promise((resolve, reject) => {
      request = this.#open("POST", path, headers, { resolve, reject });
    });
    return { request, answered: answered.then((answer) => judged(path, answer)) };
  }

  invocationError(id, error) {
    return this.#postError(`/invocation/${id}/error`, error);
  }

  initError(error) {
    return this.#postError("/init/error", error);
  }

  #postError(path, error) {
    const document = errorDocument(error);
    const headers = { "Lambda-Runtime-Function-Error-Type": headerSafe(document.errorType) };
    const cause = headerSafe(xrayCause(error));
    if (cause.length < XRAY_CAUSE_MAX_CHARS) {
      headers["Lambda-Runtime-Function-XRay-Error-Cause"] = cause;
    }
    return this.#post(path, JSON.stringify(document), headers);
  }

  async #post(path, text, headers) {
    const body = Buffer.from(text, "utf8");
    const sent = { "Content-Type": "application/json", "Content-Length": body.length, ...headers };
    judged(path, await this.#send("POST", path, sent, body));
  }

  #send(method, path, headers = {}, body = undefined) {
    return new Promise((resolve, reject) => {
      this.#open(method, path, headers, { resolve, reject }).end(body);
    });
  }

  /** A request without its body; its answer is told to `answer`, once. */
  #open(method, path, headers, answer) {
    const options = { ...this.#target, agent: this.#agent, method, path: PREFIX + path, headers };
    const request = http.request(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", answer.reject);
      response.on("end", () =>
        answer.resolve({
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    request.on("error", answer.reject);
    return request;
  }
}

/** 400, 403, 413: that invocation is settled without us (too late, too large); the next is not. */
function judged(path, { status, body }) {
  if (status >= 500) {
    throw new Error(`the Runtime API answered ${status} to ${path}: ${body}`);
  }
}

/** Header values are Latin-1 without controls; JSON's own escapes say the rest. */
function headerSafe(text) {
  return String(text).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
