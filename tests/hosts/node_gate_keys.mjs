// `node node_gate_keys.mjs FOLDER`: tests the keys of the gate of the example in FOLDER, with a server of keys and tokens of its own.

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
const example = (name) => import(pathToFileURL(join(folder, name)));
const { createGate, GateConfigError } = await example("gate.mjs");
const { applyToMessage, changedRequest } = await example("header-changes.mjs");
const { decided, guarded } = await example("fetch.mjs");
const NOW = 1_700_000_000;
const [first, second] = [keyPair("first"), keyPair("second")];

// The server of keys: what it responds with, how often it was asked, and which responses it holds back.
const answers = new Map();
const asked = new Map();
const held = [];
const server = createServer(({ url, headers }, response) => {
  asked.set(url, (asked.get(url) ?? 0) + 1);
  const answer = answers.get(url);
  if (answer === "hold") return held.push(response);
  if (answer === undefined) return response.writeHead(404).end();
  const etag = `"${answer.length}"`;
  if (headers["if-none-match"] === etag) return response.writeHead(304, { etag }).end();
  return response.writeHead(200, { etag }).end(answer);
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const keys = (...pairs) => JSON.stringify({ keys: pairs.map(({ jwk }) => jwk) });

function keyPair(kid) {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "RS256", use: "sig" } };
}

function token({ kid, privateKey }, claims = {}) {
  const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = { iss: origin, sub: "a", aud: "api", iat: NOW - 60, exp: NOW + 3540, groups: ["readers"], ...claims };
  const input = `${encoded({ alg: "RS256", kid })}.${encoded(payload)}`;
  return `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
}

function configuration(keys, more = {}) {
  return JSON.stringify({
    pools: [{ name: "main", issuer: origin, client_ids: ["api"], token_use: "unchecked", keys }],
    routes: [
      { prefix: "/public", public: true },
      { prefix: "/reported", authenticated: true, report_only: true },
      { prefix: "/", authenticated: true },
    ],
    claims_to_headers: [{ claim: "sub", header: "x-user" }],
    ...more,
  });
}

const get = (target, token) => ({
  method: "GET", target, authority: "app.example.com", headers: token === undefined ? [] : [["Authorization", `Bearer ${token}`]],
});
let failing = false;
let now = NOW;
const clock = () => {
  if (failing) throw new Error("a clock that fails");
  return now;
};
const made = (keys, more) => createGate(configuration(keys, more), { clock });
const is = (decision, status, reason) => assert.deepEqual([decision.kind, decision.status, decision.reason], ["reject", status, reason]);

// Two requests cause one fetch. An unknown key ID causes another one at once.
answers.set("/keys", keys(first));
const gate = await made({ url: `${origin}/keys` });
const [one, another] = await Promise.all([gate.decide(get("/", token(first))), gate.decide(get("/", token(first)))]);
assert.deepEqual([one.kind, another.kind, asked.get("/keys")], ["admit", "admit", 1]);
answers.set("/keys", keys(first, second));
assert.equal((await gate.decide(get("/", token(second)))).kind, "admit");
assert.equal(asked.get("/keys"), 2);
is(await gate.decide(get("/", token(keyPair("third")))), 401, "key-unknown");

// Each request has claims of its own, also those of a cached token.
const { claims } = await gate.decide(get("/", token(first)));
assert.deepEqual([claims.subject, claims.expiresAt, claims.payload.groups], ["a", NOW + 3540, ["readers"]]);
const same = get("/", token(first, { sub: "b" }));
const before = await gate.decide(same);
before.claims.payload.groups.push("admins");
before.claims.groups.push("admins");
const after = await gate.decide(same);
assert.deepEqual([after.claims.subject, after.claims.payload.groups, after.claims.groups], ["b", ["readers"], []]);

// A trap is a rejection. The next instance fetches its keys again, and knows the claims of no token.
failing = true;
is(await gate.decide(same), 503, "sandbox-failed");
is(await gate.decide(get("/public")), 503, "sandbox-failed");
failing = false;
assert.deepEqual([(await gate.decide(same)).claims.subject, asked.get("/keys")], ["b", 4]);
await gate.refreshKeys();
gate.keepKeysFresh();
gate.close();

// If the keys do not arrive in time, the request is decided without them. Some routes do not need them.
answers.set("/held", "hold");
const slow = await made({ url: `${origin}/held` }, { limits: { wait_ms: 200, waiting_requests: 2 } });
const started = performance.now();
const decisions = await Promise.all(["/", "/reported", "/", "/public"].map((target) => slow.decide(get(target, token(first)))));
is(decisions[0], 503, "keys-unavailable");
assert.deepEqual([decisions[1].kind, decisions[1].reported, decisions[1].claims], ["admit", "keys-unavailable", undefined]);
is(decisions[2], 503, "keys-unavailable");
assert.deepEqual([decisions[3].kind, decisions[3].claims], ["admit", undefined]);
assert.ok(performance.now() - started < 2_000, "the wait has an end");
// A fetch that ends later serves later requests.
held.forEach((response) => response.end(keys(first)));
await slow.refreshKeys();
assert.equal((await slow.decide(get("/", token(first)))).kind, "admit");
assert.equal(asked.get("/held"), 1);

// The URL of the keys is in a discovery document.
const DOCUMENT = "/.well-known/openid-configuration";
const document = (path, more = {}) => answers.set(DOCUMENT, JSON.stringify({ issuer: origin, jwks_uri: `${origin}${path}`, ...more }));
document("/a");
answers.set("/a", keys(first));
const discovered = await made({ discover: true });
assert.equal((await discovered.decide(get("/", token(first)))).kind, "admit");
assert.deepEqual([asked.get(DOCUMENT), asked.get("/a")], [1, 1]);
// The document is not asked for again with the next key set. If the key set has moved, it is, but not at once.
answers.set("/a", keys(first, second));
assert.equal((await discovered.decide(get("/", token(second)))).kind, "admit");
assert.equal(asked.get(DOCUMENT), 1);
document("/b");
answers.set("/b", keys(second));
answers.delete("/a");
now += 3_700;
const later = { iat: now - 60, exp: now + 3_540 };
await discovered.refreshKeys();
assert.deepEqual([asked.get(DOCUMENT), asked.get("/b")], [2, 1]);
is(await discovered.decide(get("/", token(first, later))), 401, "key-unknown");
assert.equal((await discovered.decide(get("/", token(second, later)))).kind, "admit");
// A new key set without a usable key does not replace the keys, and they are still refreshed where they are.
now += 86_500;
document("/c");
answers.set("/c", '{"keys":[]}');
await discovered.refreshKeys();
assert.deepEqual([asked.get(DOCUMENT), asked.get("/c"), discovered.keyReports()[0].failures], [3, 1, 1]);
now += 61;
await discovered.refreshKeys();
assert.deepEqual([discovered.keyReports()[0].failures, asked.get("/c"), discovered.keyReports()[0].state], [0, 1, "fresh"]);
// A document that breaks a rule is not used.
for (const change of [{ issuer: `${origin}/` }, { jwks_uri: "https://evil.example/keys" }, { jwks_uri: `${origin}/a#x` }, { jwks_uri: 1 }]) {
  document("/a", change);
  const refused = await made({ discover: true });
  is(await refused.decide(get("/", token(first, { iat: now, exp: now + 60 }))), 503, "keys-unavailable");
  assert.deepEqual(refused.keyReports()[0].lastError, { tag: "fetch", val: "refused" }, JSON.stringify(change));
}

// A head that is too large does not reach the sandbox. What is no head is an error.
const large = await gate.decide({ ...get("/public"), headers: [["x", "a".repeat(1024 * 1024)]] });
is(large, 431, "head-too-large");
for (const head of [{}, { ...get("/"), target: 1 }, { ...get("/"), headers: [["a"]] }, { ...get("/"), headers: [["a", 1]] }, { ...get("/"), headers: {} }]) {
  await assert.rejects(gate.decide(head), TypeError);
}

// Without the token, the request is the same: its path, its host, and what else is in the query and in the cookies.
const hidden = await made({ jwks: { keys: [first.jwk] } }, { tokens: { forward: false, from: [{ query: "token" }, { cookie: "session" }] } });
const valid = token(first, { iat: now, exp: now + 60 });
const changesFor = async (target, ...headers) => (await hidden.decide({ ...get(target), headers })).changes;
const message = (url, originalUrl, ...rawHeaders) => {
  const headers = Object.fromEntries([rawHeaders].filter(([name]) => name));
  return { method: "GET", url, originalUrl, rawHeaders, headers };
};
for (const [url, originalUrl, changed] of [
  [`/app/x?token=${valid}&a=1`, undefined, ["/app/x?a=1", undefined]],
  // Mounted at a path, and rewritten.
  [`/x?token=${valid}`, `/app/x?token=${valid}`, ["/x", "/app/x"]],
  [`/api/x?a=1&token=${valid}`, `/v1/x?a=1&token=${valid}`, ["/api/x?a=1", "/v1/x?a=1"]],
]) {
  const request = message(url, originalUrl);
  applyToMessage(request, await changesFor(originalUrl ?? url));
  assert.deepEqual([request.url, request.originalUrl], changed);
}
const changes = await changesFor(`/v1/x?token=${valid}`);
assert.throws(() => applyToMessage(message("/x?a=1", `/v1/x?token=${valid}`), changes), /not only the query/);
// Values of headers are bytes: `Ã©` is `é` in UTF-8.
const withCookies = message("/x", undefined, "cookie", `name=\u00c3\u00a9; session=${valid}`);
applyToMessage(withCookies, await changesFor("/x", ["cookie", withCookies.rawHeaders[1]]));
assert.deepEqual([withCookies.headers.cookie, withCookies.headers["x-user"]], ["name=\u00c3\u00a9", "a"]);
assert.deepEqual(withCookies.rawHeaders, ["cookie", "name=\u00c3\u00a9", "x-user", "a"]);
assert.throws(() => applyToMessage(message("/x"), [{ set: "x-user", value: "a\r\nx-user: b" }]), /does not allow/);
// A path that begins with two slashes does not become the host of the URL.
const fetched = new Request(`http://app.example.com//admin.example.com/x?token=${valid}`, { headers: { "X-User": "root" } });
const answered = await guarded(hidden, (request) => Response.json([request.url, request.headers.get("x-user")]))(fetched);
assert.deepEqual(await answered.json(), ["http://app.example.com//admin.example.com/x", "a"]);
assert.equal(changedRequest(fetched, []).url, fetched.url);
// The message from which a server has made a request is changed, too.
const incoming = message(`/x?token=${valid}`, undefined, "x-user", "root");
const outer = new Request(`http://app.example.com/x?token=${valid}`, { headers: { "x-user": "root" } });
const { admitted } = await decided(hidden, outer, incoming, () => {});
assert.deepEqual([admitted.url, admitted.headers.get("x-user")], ["http://app.example.com/x", "a"]);
assert.deepEqual([incoming.url, incoming.rawHeaders, incoming.headers], ["/x", ["x-user", "a"], { "x-user": "a" }]);

// An invalid configuration is an error with its position.
await assert.rejects(createGate("{"), (error) => error instanceof GateConfigError && error.at === "");
await assert.rejects(createGate({}), TypeError);
await assert.rejects(createGate(configuration({}), { clock: NOW }), TypeError);
await assert.rejects(made({ url: `${origin}/keys` }, { routes: [{ prefix: "/", metods: ["GET"], public: true }] }), (error) => {
  assert.match(error.message, /^routes\[0\]\.metods: unknown field/);
  return error instanceof GateConfigError && error.at === "routes[0].metods";
});
await assert.rejects(made({ url: "http://keys.example.com/" }), GateConfigError);
const warned = await made({ url: `${origin}/keys` }, { report_only: true });
assert.ok(warned.warnings.length > 0 && warned.warnings.every(({ at, message }) => typeof at === "string" && message !== ""));
assert.deepEqual([warned.claimHeaders, warned.forwardsTokens], [["x-user"], true]);

// No timer and no connection keeps the process alive.
server.close();
server.closeAllConnections();
