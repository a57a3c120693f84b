// `node node.mjs FOLDER CASES`: verifies the corpus with the example in FOLDER, and prints the verdicts.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { verdictsOf } from "./verdicts.mjs";

const [folder, cases] = process.argv.slice(2);
const { createVerifier, Denial } = await import(pathToFileURL(`${folder}/poolgate.mjs`));
console.log(JSON.stringify(await verdictsOf(JSON.parse(await readFile(cases, "utf8")), createVerifier, Denial)));
