// The explanation of a verdict on the page. All values are shown as text.

const field = (id) => document.getElementById(id);
const RESULTS = { passed: "passed", failed: "failed", "not-checked": "not checked" };
const TIMES = ["iat", "nbf", "exp", "auth_time", "updated_at"];

export function hideExplanation() {
  field("explanation").hidden = true;
  for (const id of ["checks", "times", "decoded-header", "decoded-payload", "content-hint"]) field(id).replaceChildren();
}

export function showExplanation(explanation) {
  field("explanation").hidden = false;
  field("checks").replaceChildren(...explanation.checks.flatMap(rows));
  field("content-hint").textContent = explanation.isSignatureValid
    ? "The signature was verified." : "NOT VERIFIED: anyone can create a token with this content.";
  field("times").replaceChildren(...times(explanation.payload));
  field("decoded-header").textContent = json(explanation.header);
  field("decoded-payload").textContent = json(explanation.payload);
}

/** A row for the check, and one with what more there is to say about it. */
function rows({ stage, result, reason, member, found, accepted, detail, advice }) {
  const name = member === undefined ? "" : member;
  const has = member === undefined ? "" : found === undefined ? `no ${name}` : `${name} = ${JSON.stringify(found)}`;
  const row = cells("tr", [stage, reason ?? RESULTS[result], has, result === "failed" ? accepted.join(" or ") : ""]);
  row.dataset.result = result;
  const more = [detail, advice].filter((text) => text !== undefined).join(" ");
  if (result !== "failed" || more === "") return [row];
  const second = document.createElement("tr");
  second.append(Object.assign(document.createElement("td"), { colSpan: 4, className: "hint", textContent: more }));
  return [row, second];
}

function times(payload) {
  const at = (claim) => payload?.[claim];
  return TIMES.filter((claim) => Number.isFinite(at(claim)) && at(claim) >= 0 && at(claim) <= 253_402_300_799).map((claim) => {
    const seconds = at(claim) - Date.now() / 1000;
    return cells("tr", [claim, new Date(at(claim) * 1000).toLocaleString(), distance(seconds)]);
  });
}

function distance(seconds) {
  const size = Math.abs(seconds);
  const [unit, length] = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]].find(([, length]) => size >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en").format(Math.trunc(seconds / length), unit);
}

function cells(name, texts) {
  const row = document.createElement(name);
  row.append(...texts.map((text, index) => Object.assign(document.createElement(index ? "td" : "th"), { textContent: text })));
  row.firstChild.scope = "row";
  return row;
}

function json(value) {
  if (value === undefined) return "It could not be decoded.";
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
