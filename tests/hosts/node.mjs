// `node node.mjs FOLDER CASES`: the corpus through the example in FOLDER; verdicts on standard output.

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { judgeAll } from "./judge.mjs";

const [folder, cases] = process.argv.slice(2);
const { createVerifier, Denial } = await import(pathToFileURL(`${folder}/poolgate.mjs`));
console.log(JSON.stringify(await judgeAll(JSON.parse(await readFile(cases, "utf8")), createVerifier, Denial)));
