// The page: what was typed becomes a verifier's options, and its verdict becomes text. Text only: nothing of a token is ever markup.

import { createVerifier, Denial } from "./poolgate.mjs";
import { REASONS } from "./reasons.mjs";

const field = (id) => document.getElementById(id);
const form = field("form");
const chosen = (name) => form.querySelector(`input[name="${name}"]:checked`).value;
const NOT_JUDGED = "No token was judged yet.";
let latest = 0;

form.addEventListener("change", showFields);
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
  const keys = { issuer: undefined, url: { url: field("url").value.trim() }, pasted: "seeded" }[chosen("keys")];
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
    if (chosen("keys") === "pasted") await verifier.seedKeys(verifier.keyReports()[0].issuers[0], field("jwks").value);
    const claims = await verifier.verify(field("token").value.trim());
    say("allow", "Verified", "Signature, issuer, times, use and client are as they should be.", claims);
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

function show(verdict, word, text, claims) {
  const line = (content, name) => Object.assign(document.createElement("p"), { textContent: content, className: name });
  field("verdict").dataset.verdict = verdict;
  field("verdict").replaceChildren(...(word ? [line(word, "word"), line(text, "")] : [line(text, "hint")]));
  field("details").hidden = claims === undefined;
  field("claims").replaceChildren(...(claims ? rows(claims) : []));
  field("payload").textContent = claims ? JSON.stringify(claims.payload, null, 2) : "";
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
