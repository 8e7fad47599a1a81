import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { handler } from "../hello/index.mjs";

test("greets by name", async () => {
  const event = JSON.parse(await readFile(new URL("../events/hello.json", import.meta.url)));
  assert.equal((await handler(event)).message, "Hello, Ada!");
});

test("counts what one environment served", async () => {
  const first = (await handler({})).count;
  assert.equal((await handler({})).count, first + 1);
});
