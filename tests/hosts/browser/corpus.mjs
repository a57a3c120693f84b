// `node corpus.mjs URL EXECUTABLE LIBRARIES CASES`: the corpus through the page's own modules; verdicts on standard output.

import { readFile } from "node:fs/promises";
import { withPage } from "./launch.mjs";

await withPage(async (page, url, [cases]) => {
  await page.goto(url);
  const verdicts = await page.evaluate(async (cases) => {
    const module = (name) => import(new URL(name, location.href).href);
    const [{ createVerifier, Denial }, { judgeAll }] = await Promise.all([module("poolgate.mjs"), module("judge.mjs")]);
    return judgeAll(cases, createVerifier, Denial);
  }, JSON.parse(await readFile(cases, "utf8")));
  console.log(JSON.stringify(verdicts));
});
