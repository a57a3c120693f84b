// The page: it converts the input to the options of a verifier, and shows the result as text. Nothing of a token is ever inserted as markup.

import { hideExplanation, showExplanation } from "./explanation.mjs";
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
  field("more").required = chosen("from") === "json";
}

/** Returns the pool that the fields describe. */
function poolOf() {
  const clientIds = field("clients").value.split(/[\s,]+/).filter(Boolean);
  const keys = { issuer: undefined, url: { url: field("url").value.trim() }, pasted: "local" }[chosen("keys")];
  const issuer = {
    pool: { userPoolId: field("pool").value.trim() }, issuer: { issuer: field("issuer").value.trim() }, json: {},
  }[chosen("from")];
  const more = moreSettings();
  const namesClients = ["clientIds", "anyClient", "identityPoolId"].some((name) => Object.hasOwn(more, name));
  const anyClient = namesClients ? {} : { anyClient: true };
  const clients = clientIds.length === 0 ? anyClient : { clientIds };
  return { ...issuer, ...clients, keys, tokenUse: field("use").value, algorithms: ALGORITHMS[chosen("from")], ...more };
}

function moreSettings() {
  const text = field("more").value.trim();
  if (text === "") return {};
  let settings;
  try {
    settings = JSON.parse(text);
  } catch {
    settings = undefined;
  }
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    throw new TypeError("More settings must be a JSON object.");
  }
  return settings;
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
  let pool;
  let verifier;
  const token = field("token").value.trim();
  const explain = async () => {
    // A token may be rejected before its keys are needed.
    await verifier?.refreshKeys();
    if (isCurrent() && verifier) showExplanation(verifier.explain(token));
  };
  try {
    pool = poolOf();
    verifier = await createVerifier({ pools: [pool] });
    if (pool.keys === "local") await verifier.loadKeySet(verifier.keyReports()[0].issuers[0] ?? "", field("jwks").value);
    const claims = await verifier.verify(token);
    showIfCurrent("allow", "Verified", checksThatSucceeded(pool), claims);
  } catch (error) {
    if (!(error instanceof Denial)) {
      showIfCurrent("open", "Not verified", error.message);
    } else if (error.status === 503) {
      showIfCurrent("open", "Not verified", `${REASONS[error.reason]} (${error.reason})`);
    } else {
      const text = `${REASONS[error.reason]}${misfitOf(pool, error.misfit)} An API would respond with ${error.status}.`;
      showIfCurrent("deny", `Rejected: ${error.reason}`, text);
    }
  }
  await explain();
}

/** Says which claim rule the token does not fit. */
function misfitOf(pool, misfit) {
  // The rule about guests comes after those of the pool.
  const claim = misfit && (pool.claims?.[misfit.rule]?.claim ?? "amr");
  return misfit ? ` \`${claim}\` ${misfit.isAbsent ? "is absent" : "does not fit"}.` : "";
}

const DISABLED = {
  anyIssuer: "the issuer", anyTenant: "the tenant", anyClient: "the app client", anyResource: "the resource server",
  anySubject: "the subject",
};

/** A disabled check must not look like one that succeeded. */
function checksThatSucceeded(pool) {
  const disabled = Object.entries(DISABLED).filter(([name]) => pool[name]).map(([, check]) => check);
  if (pool.tokenUse === "unchecked") disabled.push("the token use");
  if (pool.confirmation === "ignore") disabled.push("the binding to a key");
  const list = new Intl.ListFormat("en").format(disabled);
  const unchecked = disabled.length ? ` Not checked: ${list}.` : " So are token use and app client.";
  return `${pool.anyIssuer ? "Signature" : "Signature, issuer"} and time claims are valid.${unchecked}`;
}

function show(verdict, word, text, claims) {
  hideExplanation();
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
