// The page: it converts the input to the options of a verifier, and shows the result as text. Nothing of a token is ever inserted as markup.

import { createVerifier, Denial } from "./poolgate.mjs";
import { REASONS } from "./reasons.mjs";

const field = (id) => document.getElementById(id);
const form = field("form");
const chosen = (name) => form.querySelector(`input[name="${name}"]:checked`).value;
const NOT_VERIFIED = "The token was not verified yet.";
let latest = 0;

form.addEventListener("change", showFields);
form.addEventListener("input", () => {
  latest += 1;
  // The result of other input must not be shown beside this input.
  if (field("verdict").dataset.verdict !== "none") show("none", "", NOT_VERIFIED);
});
form.addEventListener("reset", () => {
  latest += 1;
  queueMicrotask(showFields);
  show("none", "", NOT_VERIFIED);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void verify();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
// The browser must not restore the token when the user returns to the page.
addEventListener("pagehide", () => form.reset());
showFields();

/** Shows and requires only the fields that the chosen options need. */
function showFields() {
  const shown = new Set([chosen("from"), chosen("keys")]);
  if (chosen("keys") === "issuer" && chosen("from") !== "issuer") shown.delete("issuer");
  for (const group of document.querySelectorAll("[data-for]")) {
    group.hidden = !shown.has(group.dataset.for);
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

async function verify() {
  const turn = (latest += 1);
  const isCurrent = () => turn === latest;
  const showIfCurrent = (...words) => isCurrent() && show(...words);
  show("none", "", "Verifying …");
  try {
    const verifier = await createVerifier(options());
    if (chosen("keys") === "pasted") await verifier.loadKeySet(verifier.keyReports()[0].issuers[0], field("jwks").value);
    const claims = await verifier.verify(field("token").value.trim());
    showIfCurrent("allow", "Verified", checksThatSucceeded(), claims);
  } catch (error) {
    if (!(error instanceof Denial)) {
      showIfCurrent("open", "Not verified", error.message);
    } else if (error.status === 503) {
      showIfCurrent("open", "Not verified", `${REASONS[error.reason]} (${error.reason})`);
    } else {
      showIfCurrent("deny", `Rejected: ${error.reason}`, `${REASONS[error.reason]} An API would respond with ${error.status}.`);
    }
  }
}

/** A disabled check must not look like one that succeeded. */
function checksThatSucceeded() {
  const disabled = [];
  if (field("clients").value.trim() === "") disabled.push("the app client");
  if (field("use").value === "unchecked") disabled.push("the token use");
  const unchecked = disabled.length ? ` Not checked: ${disabled.join(" and ")}.` : " So are token use and app client.";
  return `Signature, issuer and time claims are valid.${unchecked}`;
}

function show(verdict, word, text, claims) {
  field("verdict").dataset.verdict = verdict;
  field("verdict").replaceChildren(...(word ? [line(word, "word"), line(text, "")] : [line(text, "hint")]));
  field("details").hidden = claims === undefined;
  field("claims").replaceChildren(...(claims ? rows(claims) : []));
  field("payload").textContent = claims ? JSON.stringify(claims.payload, null, 2) : "";
}

/** Returns a paragraph; text between backticks becomes code. */
function line(text, name) {
  const paragraph = Object.assign(document.createElement("p"), { className: name });
  text.split("`").forEach((part, index) => {
    paragraph.append(index % 2 ? Object.assign(document.createElement("code"), { textContent: part }) : part);
  });
  return paragraph;
}

function rows(claims) {
  const time = (seconds) => seconds !== undefined && `${new Date(seconds * 1000).toLocaleString()} (${seconds})`;
  const values = {
    Subject: claims.subject, Username: claims.username, "Token use": claims.tokenUse, Issuer: claims.issuer, Client: claims.clientId,
    Groups: claims.groups.join(", "), Scopes: claims.scopes.join(", "), "Issued at": time(claims.issuedAt), "Expires at": time(claims.expiresAt),
    "Signed in at": time(claims.authTime),
  };
  return Object.entries(values).filter(([, value]) => value).map(([name, value]) => {
    const row = document.createElement("tr");
    const head = Object.assign(document.createElement("th"), { textContent: name, scope: "row" });
    row.append(head, Object.assign(document.createElement("td"), { textContent: value }));
    return row;
  });
}
