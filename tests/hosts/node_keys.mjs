// `node node_keys.mjs FOLDER JWKS-URL TOKEN ROTATED`: tests key fetches and rotation in the example. From the second fetch on,
// the server returns the key of ROTATED, too. Its other paths simulate the failures below.

import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const [folder, url, token, rotated] = process.argv.slice(2);
const { createVerifier, Denial } = await import(pathToFileURL(`${folder}/poolgate.mjs`));
const pool = {
  issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01", keys: { url }, tokenUse: "access", anyClient: true,
};
let failing = false;
const clock = () => {
  if (failing) throw new Error("a clock that fails");
  return 1_700_000_000;
};
const verifier = await createVerifier({ pools: [pool] }, { clock });
const denies = (reason, status) => (error) => error instanceof Denial && error.reason === reason && error.status === status;

// Without keys, a call that does not wait is denied. A call that waits gets its verdict after one fetch.
assert.throws(() => verifier.verifySync(token), denies("keys-unavailable", 503));
const [one, another] = await Promise.all([verifier.verify(token), verifier.verify(token)]);
assert.equal(one.username, "ada");
assert.deepEqual(one, another);
assert.equal(verifier.verifySync(token).expiresAt, 1_700_003_540);
await verifier.refreshKeys();

// An unknown kid causes a fetch at once.
assert.equal((await verifier.verify(rotated)).username, "ada");
assert.deepEqual(verifier.keyReports()[0].keyIds.length, 2);

// A trap is a denial. The next instance fetches its keys again.
failing = true;
assert.throws(() => verifier.verifySync(token), denies("sandbox-failed", 503));
failing = false;
assert.equal((await verifier.verify(token)).username, "ada");

// If a fetch fails, the key report contains the cause.
for (const [path, fault] of [["/moved", "bad-status"], ["/huge", "too-large"], ["/cut", "unreachable"]]) {
  const faulty = await createVerifier({ pools: [{ ...pool, keys: { url: new URL(path, url).href } }] }, { clock });
  await assert.rejects(faulty.verify(token), denies("keys-unavailable", 503));
  assert.deepEqual(faulty.keyReports()[0].lastError, { tag: "fetch", val: fault }, path);
}
const elsewhere = await createVerifier({ pools: [{ ...pool, keys: { url: "http://keys.invalid/" } }] }, { clock });
await assert.rejects(elsewhere.verify(token), denies("keys-unavailable", 503));
assert.deepEqual(elsewhere.keyReports()[0].lastError, { tag: "fetch", val: "refused" });

// An invalid configuration throws an error.
await assert.rejects(createVerifier({ pools: [{ ...pool, clientId: "x" }] }), /unknown member clientId/);
await assert.rejects(createVerifier({ pools: [{ ...pool, anyClient: undefined }] }), /clientIds or anyClient/);
await assert.rejects(createVerifier({ pools: [{ ...pool, keys: { url: "" }, issuer: "" }] }), /invalid-issuer/);
for (const [words, problem] of [
  [{ groups: {} }, /groups must have anyOf or allOf/],
  [{ groups: { anyOf: [] } }, /anyOf must be a list of names/],
  [{ groups: { anyOf: null } }, /anyOf must be a list of names/],
  [{ groups: { anyOf: ["admins"], allOf: [""] } }, /allOf must be a list of names/],
  [{ scopes: { allOf: [] } }, /allOf must be a list of names/],
  [{ scopes: { allOf: "a" } }, /allOf must be a list of names/],
  [{ tokenUse: "id", resources: ["https://api"] }, /resource-of-id-tokens/],
  [{ resources: [] }, /empty-list/],
  [{ resources: null }, /./],
  [{ anySubject: "yes" }, /anySubject must be true/],
  [{ confirmation: "none" }, /confirmation must be refuse or ignore/],
]) {
  await assert.rejects(createVerifier({ pools: [{ ...pool, ...words }] }), problem, JSON.stringify(words));
}
const nearly = await createVerifier({ pools: [{ ...pool, issuer: `${pool.issuer}/`, keys: "local" }] }, { clock });
await assert.rejects(nearly.verify(token), (error) => error.reason === "issuer-unknown" && error.hint === "issuer-slash");
await assert.rejects(verifier.verify(undefined), TypeError);
