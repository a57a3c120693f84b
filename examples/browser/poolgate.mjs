// poolgate in a browser. The component's files are in the folder `component` beside this file.

import { instantiate } from "./component/poolgate.js";
import { Verifier } from "./verifier.mjs";

export { Denial } from "./verifier.mjs";

const modules = new Map();

const component = {
  instantiate,
  // Compiled once, for all verifiers.
  coreModule(name) {
    if (!modules.has(name)) modules.set(name, compile(name));
    return modules.get(name);
  },
};

async function compile(name) {
  const response = await fetch(new URL(`component/${name}`, import.meta.url));
  if (!response.ok) throw new Error(`component/${name}: status ${response.status}`);
  // Not `compileStreaming`: it requires the media type application/wasm, which not every file server sends.
  return WebAssembly.compile(await response.arrayBuffer());
}

/** See `Verifier.create`. */
export function createVerifier(options, environment) {
  return Verifier.create(component, options, environment);
}
