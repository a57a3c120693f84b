// `node node_gate.mjs FOLDER PACKAGES KIND CONFIG [NOW]`: serves an application behind the gate of the example in FOLDER, and prints its URL as one
// line. PACKAGES is the folder with the packages of tests/src/frameworks. KIND is `http`, `http2`, `express`, `express4`, `fastify`,
// `hono` or `fetch`. CONFIG is a file with the configuration of the gate. NOW is the time of the gate in seconds; the default is the system clock.
//
// Before the URL is printed, the key sets that are not in the configuration are fetched. The application responds with 200 and
// `{ target, query, headers, claims }`: what it has received. `headers` has a list of values for each name. The process ends when it is killed.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, packages, kind, config, now] = process.argv.slice(2);
const example = (name) => import(pathToFileURL(join(folder, name)));
const required = createRequire(pathToFileURL(join(packages, "package.json")));
const { createGate } = await example("gate.mjs");
const gate = await createGate(await readFile(config, "utf8"), now === undefined ? {} : { clock: () => Number(now) });
await gate.refreshKeys();
gate.keepKeysFresh();
const kinds = { http, http2, express: () => express("express"), express4: () => express("express4"), fastify, hono, fetch: fetchStyle };
console.log(await kinds[kind]());

async function http() {
  const { poolgate } = await example("express.mjs");
  const guard = poolgate(gate);
  return listening(createServer((req, res) => guard(req, res, () => respond(res, received(req)))));
}

async function http2() {
  const { poolgate } = await example("express.mjs");
  const guard = poolgate(gate);
  return listening(createHttp2Server((req, res) => guard(req, res, () => respond(res, received(req)))));
}

async function express(name) {
  const { poolgate } = await example("express.mjs");
  const app = required(name)();
  app.use(poolgate(gate));
  app.use((req, res) => res.json(received(req)));
  return listening(createServer(app));
}

async function fastify() {
  const { poolgate } = await example("fastify.mjs");
  const app = required("fastify")();
  app.register(poolgate, { gate });
  app.addContentTypeParser("*", (request, payload, done) => done(null));
  app.all("/*", async (request) => received(request.raw, request.poolgate, request.query));
  return app.listen({ host: "127.0.0.1", port: 0 });
}

async function hono() {
  const { poolgate } = await example("hono.mjs");
  const { Hono } = required("hono");
  const app = new Hono();
  app.use(poolgate(gate));
  app.all("*", (c) => c.json(receivedRequest(c.req.raw, c.get("poolgate"), c.req.query())));
  return served(app.fetch);
}

async function fetchStyle() {
  const { guarded } = await example("fetch.mjs");
  return served(guarded(gate, (request, claims) => Response.json(receivedRequest(request, claims))));
}

async function served(fetch) {
  const { createAdaptorServer } = required("@hono/node-server");
  return listening(createAdaptorServer({ fetch }));
}

function received(req, claims = req.poolgate, query = req.query) {
  const headers = distinct(pairs(req.rawHeaders));
  // The three views of the headers that an application has.
  assert.deepEqual(Object.keys(req.headers).sort(), Object.keys(headers).sort());
  if (req.headersDistinct) assert.deepEqual({ ...req.headersDistinct }, headers);
  return { target: req.originalUrl ?? req.url, query, headers, claims };
}

function receivedRequest(request, claims, query) {
  const { pathname, search } = new URL(request.url);
  return { target: pathname + search, query, headers: distinct([...request.headers]), claims };
}

function pairs(raw) {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]]] : []));
}

function distinct(fields) {
  const headers = {};
  for (const [name, value] of fields) (headers[name.toLowerCase()] ??= []).push(value);
  return headers;
}

function respond(res, body) {
  res.setHeader("content-type", "application/json");
  res.end(JSON.stringify(body));
}

function listening(server) {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${server.address().port}`));
  });
}
