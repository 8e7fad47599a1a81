// Finding and loading `folder/module.export`, in the order in which AWS's client looks.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

import {
  HandlerNotFound,
  ImportModuleError,
  MalformedHandlerName,
  UserCodeSyntaxError,
} from "./errors.mjs";

const MISSING_MODULE = new Set(["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"]);
const HANDLER_NAME = /^([^.]*)\.(.*)$/;

/** Loads the function behind a handler name; throws errors under AWS's names. */
export async function loadHandler(taskRoot, name) {
  if (name.includes("..")) {
    throw new MalformedHandlerName(
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(name);
  const match = HANDLER_NAME.exec(base);
  if (match === null) {
    throw new MalformedHandlerName("Bad handler");
  }
  const [, module, property] = match;
  const folder = name.slice(0, name.length - base.length);
  const exported = await loadModule(taskRoot, path.resolve(taskRoot, folder, module), module);
  const handler = property.split(".").reduce((value, key) => value?.[key], exported);
  if (!handler) {
    throw new HandlerNotFound(`${name} is undefined or not exported`);
  }
  if (typeof handler !== "function") {
    throw new HandlerNotFound(`${name} is not a function`);
  }
  return handler;
}

async function loadModule(taskRoot, file, module) {
  try {
    return await tryLoad(taskRoot, file, module);
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw withStack(new UserCodeSyntaxError(error), error);
    }
    if (MISSING_MODULE.has(error?.code)) {
      throw withStack(new ImportModuleError(error), error);
    }
    throw error;
  }
}

async function tryLoad(taskRoot, file, module) {
  const require = createRequire(new URL("index.mjs", import.meta.url));
  if (fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
    return require(file);
  }
  const js = `${file}.js`;
  if (fs.existsSync(js)) {
    return packageIsModule(path.dirname(js)) ? import(pathToFileURL(js).href) : require(js);
  }
  if (fs.existsSync(`${file}.mjs`)) {
    return import(pathToFileURL(`${file}.mjs`).href);
  }
  if (fs.existsSync(`${file}.cjs`)) {
    return require(`${file}.cjs`);
  }
  return require(require.resolve(module, { paths: [taskRoot, path.dirname(file)] }));
}

/** Whether the nearest package.json says `"type": "module"`; node_modules ends the search. */
function packageIsModule(folder) {
  if (folder.endsWith("/node_modules")) {
    return false;
  }
  const manifest = path.join(folder, "package.json");
  if (fs.existsSync(manifest)) {
    try {
      return JSON.parse(fs.readFileSync(manifest, "utf8"))?.type === "module";
    } catch (error) {
      console.warn(`${manifest} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  const parent = path.dirname(folder);
  return parent === folder ? false : packageIsModule(parent);
}

/** The stack says where in the author's code it went wrong, below the error's own first line. */
function withStack(error, cause) {
  const where = String(cause.stack ?? "").replace(`${cause}\n`, "");
  error.stack = `${error.name}: ${error.message}\n${where}`;
  return error;
}
