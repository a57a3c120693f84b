// `node node_keys.mjs FOLDER JWKS-URL TOKEN ROTATED`: tests key fetches and rotation in the example. From the second fetch on,
// the server returns the key of ROTATED, too. Its other paths simulate the failures below.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [folder, url, token, rotated] = process.argv.slice(2);
const { createVerifier, Denial } = await import(pathToFileURL(`${folder}/poolgate.mjs`));
const pool = {
  issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE01", keys: { url }, tokenUse: "access", anyClient: true,
};
const TEMPLATE = "https://login.example/{tid}/v2.0";
const TENANT = "3e7d5b1c-8f7a-4b8e-9d55-0a1b2c3d4e5f";
const ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188";
const IDENTITIES = {
  issuer: undefined, anyClient: undefined, tokenUse: "unchecked", identityPoolId: `eu-west-1:${TENANT}`, guests: "refuse",
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

// An explanation has what was compared. It is asked for, and no denial has it.
const explained = (checked) => verifier.explain(checked).checks.find(({ result }) => result === "failed");
assert.equal(explained(token), undefined);
assert.deepEqual(verifier.explain(token).payload, one.payload);
assert.equal(verifier.explain(token).isSignatureValid, true);
const altered = verifier.explain(`${token.slice(0, -8)}AAAAAAAA`);
assert.deepEqual([altered.reason, altered.isSignatureValid, altered.header.alg], ["signature-invalid", false, one.payload && "RS256"]);
assert.equal(explained("a.b").reason, "token-not-three-parts");
assert.equal(verifier.explain("e30.!.").payload, undefined);
assert.throws(() => verifier.explain(5), TypeError);

// An access token has neither a nonce nor `at_hash`.
await assert.rejects(verifier.verify(token, { nonce: "n" }), denies("nonce-mismatch", 401));
await assert.rejects(verifier.verify(token, { accessToken: token }), denies("access-token-mismatch", 401));
assert.throws(() => verifier.verifySync(token, { nonce: "" }), denies("nonce-mismatch", 401));
await assert.rejects(verifier.verify(token, { nonce: undefined }), /nonce must be a string/);

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
  [{ clientIds: "x", anyClient: undefined }, /clientIds must be a list of strings/],
  [{ resources: "https://api" }, /resources must be a list of strings/],
  [{ algorithms: "RS256" }, /algorithms must be a list of strings/],
  [{ algorithms: ["HS256"] }, /algorithms must be RS256, .* or Ed25519/],
  [{ maxAgeSeconds: "60" }, /maxAgeSeconds must be a whole number of seconds/],
  [{ issuers: ["a"] }, /exactly one of userPoolId, issuer, issuers, issuerTemplate, identityPoolId, or anyIssuer/],
  [{ issuer: undefined, issuers: "https://a" }, /issuers must be a list of names/],
  [{ issuer: undefined, issuers: [] }, /issuers must be a list of names/],
  [{ issuer: undefined, issuers: ["https://a"], keys: undefined }, /keys-not-derivable/],
  [{ tenants: [TENANT] }, /tenants needs issuerTemplate/],
  [{ issuer: undefined, issuerTemplate: TEMPLATE }, /must have tenants or anyTenant/],
  [{ issuer: undefined, issuerTemplate: TEMPLATE, tenants: [TENANT], anyTenant: true }, /must have tenants or anyTenant/],
  [{ issuer: undefined, issuerTemplate: TEMPLATE, tenants: [] }, /tenants must be a list of names/],
  [{ issuer: undefined, issuerTemplate: TEMPLATE, anyTenant: "yes" }, /anyTenant must be true/],
  [{ issuer: undefined, issuerTemplate: "https://a", anyTenant: true }, /invalid-template/],
  [{ albArns: [] }, /albArns must be a list of names, and not empty/],
  [{ albArns: ["arn:aws:x"], tokenUse: "unchecked" }, /invalid-load-balancer/],
  [{ issuer: undefined, issuers: ["https://a"], albArns: [ARN] }, /albArns needs issuer/],
  [{ albArns: [ARN], tokenUse: "access" }, /invalid-load-balancer/],
  [{ guests: "accept" }, /guests needs identityPoolId/],
  [{ ...IDENTITIES, guests: undefined }, /guests must be refuse or accept/],
  [{ ...IDENTITIES, clientIds: ["x"] }, /must not have clientIds or anyClient/],
  [{ ...IDENTITIES, tokenUse: "access" }, /invalid-identity-pool/],
  [{ types: "JWT" }, /types must be a list of strings/],
  [{ types: [] }, /types must be a list of strings, and not empty/],
  [{ types: ["logout+jwt"] }, /invalid-type/],
  [{ clientClaim: "sub" }, /clientClaim must be aud, client_id, azp, appid, or cid/],
  [{ clientClaim: "azp" }, /client-claim-unused/],
  [{ scopeClaim: ["scp"] }, /scopeClaim must be a string/],
  [{ unboundClients: "x" }, /unboundClients must be a list of names/],
  [{ unboundClients: ["x"] }, /unbound-without-resources/],
  [{ claims: {} }, /claims must be a list of claim rules/],
  [{ claims: [] }, /claims must be a list of claim rules, and not empty/],
  [{ claims: [["sub"]] }, /claims must be a list of claim rules/],
  [{ anySubject: "yes" }, /anySubject must be true/],
  [{ confirmation: "none" }, /confirmation must be refuse or ignore/],
]) {
  await assert.rejects(createVerifier({ pools: [{ ...pool, ...words }] }), problem, JSON.stringify(words));
}
for (const [rule, problem] of [
  [{ any_of: ["a"] }, /claim must be a string/],
  [{ claim: "a" }, /must have one of any_of, all_of, none_of, prefix, suffix, exists, and at_least or at_most/],
  [{ claim: "a", anyOf: ["a"] }, /unknown member anyOf/],
  [{ claim: "a", any_of: "admin" }, /any_of must be a list of strings, numbers and booleans/],
  [{ claim: "a", any_of: [] }, /any_of must be a list of strings, numbers and booleans, and not empty/],
  [{ claim: "a", any_of: [null] }, /any_of must be a list of strings, numbers and booleans/],
  [{ claim: "a", any_of: [2 ** 54] }, /any_of must have numbers between/],
  [{ claim: "a", all_of: [NaN] }, /all_of must have numbers between/],
  [{ claim: "a", any_of: ["a"], none_of: ["b"] }, /must have one of/],
  [{ claim: "a", any_of: ["a"], at_least: 1 }, /must have one of/],
  [{ claim: "a", at_least: "1" }, /at_least must have numbers/],
  [{ claim: "a", prefix: "repo:" }, /prefix must be a list of names/],
  [{ claim: "a", suffix: [""] }, /suffix must be a list of names/],
  [{ claim: "a", exists: "no" }, /exists must be true or false/],
  [{ claim: "a", exists: true, if_absent: "pass" }, /invalid-claim-rule/],
  [{ claim: "a", any_of: ["a"], if_absent: true }, /if_absent must be pass/],
  [{ claim: "a", any_of: ["a"], path: "roles" }, /path must be a list of strings/],
  [{ claim: "a", any_of: ["a"], split: ", " }, /split must be one character/],
  [{ claim: "a", any_of: ["a"], keys: false }, /keys must be true/],
  [{ claim: "a", any_of: ["a"], each: "id" }, /each must be a list of names/],
  [{ claim: "a", any_of: ["a"], split: ",", keys: true }, /at most one of split, keys and each/],
  [{ claim: "exp", at_least: 1 }, /invalid-claim-rule/],
]) {
  await assert.rejects(createVerifier({ pools: [{ ...pool, claims: [rule] }] }), problem, JSON.stringify(rule));
  await assert.rejects(createVerifier({ pools: [pool], requirements: { staff: [rule] } }), problem, JSON.stringify(rule));
}

// The book has examples of rules, one a line, and of invalid rules.
const book = await readFile(new URL("../../docs/claims.md", import.meta.url), "utf8");
const rulesOf = (language) => {
  const blocks = book.split(`\`\`\`${language}\n`).slice(1).map((rest) => rest.split("\n```")[0]);
  return blocks.flatMap((block) => block.split("\n")).map((line) => JSON.parse(line));
};
const [valid, invalid] = [rulesOf("json,rule"), rulesOf("json,invalid-rule")];
assert.ok(valid.length > 10 && invalid.length > 15, `${valid.length} and ${invalid.length} rules`);
for (const rule of valid) await createVerifier({ pools: [{ ...pool, claims: [rule] }] });
for (const rule of invalid) {
  await assert.rejects(createVerifier({ pools: [{ ...pool, claims: [rule] }] }), /claim/, JSON.stringify(rule));
}
for (const [requirements, problem] of [
  [[[{ claim: "a", exists: true }]], /requirements must be an object/],
  [{ staff: [] }, /requirements.staff must be a list of claim rules, and not empty/],
  [{ staff: { claim: "a", exists: true } }, /requirements.staff must be a list of claim rules/],
]) {
  await assert.rejects(createVerifier({ pools: [pool], requirements }), problem, JSON.stringify(requirements));
}

// Claim rules: those of a pool reject a token, and a requirement applies to the call that names it.
const ruled = async (claims) => {
  const requirements = {
    editors: [{ claim: "scope", split: " ", any_of: ["orders/write"] }], v3: [{ claim: "version", at_least: 3 }],
    known: [{ claim: "username", exists: true }],
  };
  const made = await createVerifier({ pools: [{ ...pool, claims }], requirements }, { clock });
  await made.refreshKeys();
  return made;
};
const fitting = await ruled([{ claim: "version", any_of: [2] }, { claim: "act", exists: false }]);
assert.deepEqual((await fitting.verify(token)).fits, ["editors", "known"]);
assert.equal((await fitting.verify(token, { requirement: "editors" })).username, "ada");
await assert.rejects(fitting.verify(token, { requirement: "v3" }), denies("claim-forbidden", 403));
assert.throws(() => fitting.verifySync(token, { requirement: "v3" }), denies("claim-forbidden", 403));
for (const options of [{ requirement: "v4" }, { requirement: undefined }, { requirements: "v3" }, "v3", null]) {
  await assert.rejects(fitting.verify(token, options), TypeError, JSON.stringify(options));
}
const misfitting = await ruled([{ claim: "version", any_of: [2] }, { claim: "tenant", any_of: ["acme"] }]);
await assert.rejects(misfitting.verify(token), (error) => {
  assert.deepEqual({ ...error.misfit }, { pool: 0, rule: 1, isAbsent: true });
  return denies("claim-mismatch", 401)(error);
});
const nearly = await createVerifier({ pools: [{ ...pool, issuer: `${pool.issuer}/`, keys: "local" }] }, { clock });
await assert.rejects(nearly.verify(token), (error) => error.reason === "issuer-unknown" && error.hint === "issuer-slash");
await assert.rejects(verifier.verify(undefined), TypeError);
