// Writes the page, ready for any static file server, into site/: `node build.mjs`.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const node = join(here, "../node");
const site = join(here, "site");

rmSync(site, { recursive: true, force: true });
mkdirSync(site);
for (const name of ["index.html", "style.css", "page.mjs", "explanation.mjs", "poolgate.mjs"]) copyFileSync(join(here, name), join(site, name));
// The verifier is the same as in examples/node.
for (const name of ["verifier.mjs", "sandbox.mjs", "configuration.mjs", "key-server.mjs"]) copyFileSync(join(node, name), join(site, name));
execFileSync(process.execPath, [join(node, "transpile.mjs"), join(node, "poolgate.wasm"), join(site, "component")]);

// The meaning of each reason code, from the doc comments of the WIT contract.
const contract = readFileSync(join(here, "../../wit/verifier.wit"), "utf8");
const [, reasons] = /enum reason \{([^}]*)\}/.exec(contract);
const meanings = {};
for (const [, text, name] of reasons.matchAll(/\/\/\/ (.*)\n\s*([a-z0-9-]+),/g)) meanings[name] = text;
writeFileSync(join(site, "reasons.mjs"), `export const REASONS = ${JSON.stringify(meanings, null, 2)};\n`);
