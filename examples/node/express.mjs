// The gate in Express, in Connect, and in front of any listener of node:http and node:http2.

import { parse } from "node:querystring";
import { applyToMessage, queryOf } from "./header-changes.mjs";
import { headOf } from "./request-head.mjs";
import { answered, logFailure, logged } from "./responses.mjs";

/**
 * Returns the middleware `(req, res, next)`. It must be the first one, and at the root of the application.
 *
 * The claims of the token are at `req.poolgate`, which is `undefined` if there is no token. `observe` is called with each decision, for logs and
 * metrics; the default logs the line of the decision for the operator. If `next` throws, as a listener of node:http can, the status is 500.
 */
export function poolgate(gate, { observe = logged } = {}) {
  return async (req, res, next) => {
    req.poolgate = undefined;
    const { response, claims } = await answered(() => decided(gate, req), observe, req.method, req.httpVersionMajor === 2);
    if (response) return send(res, response);
    req.poolgate = claims;
    try {
      await next();
    } catch (error) {
      console.error(error);
      if (res.headersSent) res.destroy();
      else send(res, { status: 500, headers: [], body: "" });
    }
  };
}

/** Decides about a request, and changes it if it is admitted. */
async function decided(gate, req) {
  const head = headOf(req);
  const decision = await gate.decide(head);
  if (decision.kind !== "admit") return decision;
  // What was in absolute form: the application must not read another path in it.
  if (req.originalUrl === undefined) req.url = head.target;
  const target = applyToMessage(req, decision.changes);
  // Express 4 has parsed the query before.
  if (target !== undefined && Object.hasOwn(req, "query")) req.query = parsedQuery(req, target);
  return decision;
}

function parsedQuery(req, target) {
  const parsed = req.app?.get?.("query parser fn") ?? parse;
  return parsed(queryOf(target));
}

function send(res, { status, headers, body }) {
  // The client may have gone away.
  if (res.headersSent || res.destroyed) return;
  try {
    res.statusCode = status;
    for (const [name, value] of headers) res.setHeader(name, value);
    res.end(body);
  } catch (error) {
    logFailure(error);
    res.destroy();
  }
}
