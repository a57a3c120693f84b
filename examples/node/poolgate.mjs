// poolgate on Node: `import { createVerifier, Denial } from "./poolgate.mjs"`.

import { readFile } from "node:fs/promises";
import { instantiate } from "./component/poolgate.js";
import { Verifier } from "./verifier.mjs";

export { Denial } from "./verifier.mjs";

const modules = new Map();

export const component = {
  instantiate,
  // Compiled once, for all verifiers.
  coreModule(name) {
    if (!modules.has(name)) modules.set(name, compile(name));
    return modules.get(name);
  },
};

async function compile(name) {
  return WebAssembly.compile(await readFile(new URL(`component/${name}`, import.meta.url)));
}

/** See `Verifier.create`. */
export function createVerifier(options, environment) {
  return Verifier.create(component, options, environment);
}
