// `node node_keys.mjs FOLDER JWKS-URL TOKEN ROTATED`: the life of keys in the example. The server has the key of ROTATED the second time, and beside
// the keys the faults that are named below.

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

// No key yet: a call that can't wait is denied, and one that can gets its verdict, from one fetch.
assert.throws(() => verifier.verifySync(token), denies("keys-unavailable", 503));
const [one, another] = await Promise.all([verifier.verify(token), verifier.verify(token)]);
assert.equal(one.username, "ada");
assert.deepEqual(one, another);
assert.equal(verifier.verifySync(token).expiresAt, 1_700_003_540);
await verifier.refreshKeys();

// A key that was not there at first is looked for at once.
assert.equal((await verifier.verify(rotated)).username, "ada");
assert.deepEqual(verifier.keyReports()[0].keyIds.length, 2);

// A trap: denied, and the next instance fetches its keys anew.
failing = true;
assert.throws(() => verifier.verifySync(token), denies("sandbox-failed", 503));
failing = false;
assert.equal((await verifier.verify(token)).username, "ada");

// A server that misbehaves brings no keys, and the report says why.
for (const [path, fault] of [["/moved", "bad-status"], ["/huge", "too-large"], ["/cut", "unreachable"]]) {
  const faulty = await createVerifier({ pools: [{ ...pool, keys: { url: new URL(path, url).href } }] }, { clock });
  await assert.rejects(faulty.verify(token), denies("keys-unavailable", 503));
  assert.deepEqual(faulty.keyReports()[0].lastError, { tag: "fetch", val: fault }, path);
}
const elsewhere = await createVerifier({ pools: [{ ...pool, keys: { url: "http://keys.invalid/" } }] }, { clock });
await assert.rejects(elsewhere.verify(token), denies("keys-unavailable", 503));
assert.deepEqual(elsewhere.keyReports()[0].lastError, { tag: "fetch", val: "refused" });

// What can't be understood is no verifier.
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
