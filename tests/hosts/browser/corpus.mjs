// `node corpus.mjs URL EXECUTABLE LIBRARIES CASES`: verifies the corpus with the page's modules, and prints the verdicts.

import { readFile } from "node:fs/promises";
import { withPage } from "./launch.mjs";

await withPage(async (page, url, [cases]) => {
  await page.goto(url);
  const verdicts = await page.evaluate(async (cases) => {
    const module = (name) => import(new URL(name, location.href).href);
    const [{ createVerifier, Denial }, { verdictsOf }] = await Promise.all([module("poolgate.mjs"), module("verdicts.mjs")]);
    return verdictsOf(cases, createVerifier, Denial);
  }, JSON.parse(await readFile(cases, "utf8")));
  console.log(JSON.stringify(verdicts));
});
