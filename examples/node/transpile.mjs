// Turns the component into an ES module and core modules: `node transpile.mjs poolgate.wasm component`.

import { transpile } from "@bytecodealliance/jco-transpile";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

const [component, outDir] = process.argv.slice(2);
if (!component || !outDir) {
  console.error("usage: node transpile.mjs COMPONENT FOLDER");
  process.exit(2);
}
// Each verifier instantiates the component with its own clock and its own key fetch, so WASI's shims are not needed.
const { files } = await transpile(component, {
  name: "poolgate",
  outDir,
  instantiation: "async",
  wasiShim: false,
  strict: true,
  // Errors with a stack and a `payload`, as the command `jco` makes them.
  noComponentErrorWrapping: false,
});
for (const [path, bytes] of Object.entries(files)) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
