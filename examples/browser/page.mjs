// The page: what was typed becomes a verifier's options, and its verdict becomes text. Text only: nothing of a token is ever markup.

import { createVerifier, Denial } from "./poolgate.mjs";
import { REASONS } from "./reasons.mjs";

const field = (id) => document.getElementById(id);
const form = field("form");
const chosen = (name) => form.querySelector(`input[name="${name}"]:checked`).value;
const NOT_JUDGED = "The token was not judged yet.";
let latest = 0;

form.addEventListener("change", showFields);
form.addEventListener("input", () => {
  latest += 1;
  // What was said of other words must not stand beside these.
  if (field("verdict").dataset.verdict !== "none") show("none", "", NOT_JUDGED);
});
form.addEventListener("reset", () => {
  latest += 1;
  queueMicrotask(showFields);
  show("none", "", NOT_JUDGED);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void judge();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
// The browser must not bring the token back with the page.
addEventListener("pagehide", () => form.reset());
showFields();

/** Only what the choices ask for is there, and needed. */
function showFields() {
  const wanted = new Set([chosen("from"), chosen("keys")]);
  if (chosen("keys") === "issuer" && chosen("from") !== "issuer") wanted.delete("issuer");
  for (const group of document.querySelectorAll("[data-for]")) {
    group.hidden = !wanted.has(group.dataset.for);
    group.querySelector("input, textarea").required = !group.hidden;
  }
}

function options() {
  const clientIds = field("clients").value.split(/[\s,]+/).filter(Boolean);
  const keys = { issuer: undefined, url: { url: field("url").value.trim() }, pasted: "local" }[chosen("keys")];
  const issuer = chosen("from") === "pool" ? { userPoolId: field("pool").value.trim() } : { issuer: field("issuer").value.trim() };
  const clients = clientIds.length === 0 ? { anyClient: true } : { clientIds };
  return { pools: [{ ...issuer, ...clients, keys, tokenUse: field("use").value, algorithms: ALGORITHMS[chosen("from")] }] };
}

const ALGORITHMS = {
  pool: ["RS256"],
  issuer: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"],
};

async function judge() {
  const turn = (latest += 1);
  const isCurrent = () => turn === latest;
  const say = (...words) => isCurrent() && show(...words);
  show("none", "", "Judging …");
  try {
    const verifier = await createVerifier(options());
    if (chosen("keys") === "pasted") await verifier.loadKeySet(verifier.keyReports()[0].issuers[0], field("jwks").value);
    const claims = await verifier.verify(field("token").value.trim());
    say("allow", "Verified", whatWasChecked(), claims);
  } catch (error) {
    if (!(error instanceof Denial)) {
      say("open", "Not judged", error.message);
    } else if (error.status === 503) {
      say("open", "Not judged", `${REASONS[error.reason]} (${error.reason})`);
    } else {
      say("deny", `Refused: ${error.reason}`, `${REASONS[error.reason]} An API would answer ${error.status}.`);
    }
  }
}

/** A check that was not asked for must not look like one that was passed. */
function whatWasChecked() {
  const skipped = [];
  if (field("clients").value.trim() === "") skipped.push("the app client");
  if (field("use").value === "unchecked") skipped.push("the token use");
  const unchecked = skipped.length ? ` Not looked at: ${skipped.join(" and ")}.` : " So are token use and app client.";
  return `Signature, issuer and times are good.${unchecked}`;
}

function show(verdict, word, text, claims) {
  field("verdict").dataset.verdict = verdict;
  field("verdict").replaceChildren(...(word ? [line(word, "word"), line(text, "")] : [line(text, "hint")]));
  field("details").hidden = claims === undefined;
  field("claims").replaceChildren(...(claims ? rows(claims) : []));
  field("payload").textContent = claims ? JSON.stringify(claims.payload, null, 2) : "";
}

/** A paragraph; what stands between backticks in it is code. */
function line(text, name) {
  const paragraph = Object.assign(document.createElement("p"), { className: name });
  text.split("`").forEach((part, index) => {
    paragraph.append(index % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part);
  });
  return paragraph;
}

function rows(claims) {
  const time = (seconds) => seconds !== undefined && `${new Date(seconds * 1000).toLocaleString()} (${seconds})`;
  const told = {
    Subject: claims.subject, Username: claims.username, "Token use": claims.tokenUse, Issuer: claims.issuer, Client: claims.clientId,
    Groups: claims.groups.join(", "), Scopes: claims.scopes.join(", "), "Issued at": time(claims.issuedAt), "Expires at": time(claims.expiresAt),
    "Signed in at": time(claims.authTime),
  };
  return Object.entries(told).filter(([, value]) => value).map(([name, value]) => {
    const row = document.createElement("tr");
    const head = Object.assign(document.createElement("th"), { textContent: name, scope: "row" });
    row.append(head, Object.assign(document.createElement("td"), { textContent: value }));
    return row;
  });
}
