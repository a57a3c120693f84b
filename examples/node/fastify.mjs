// The gate in Fastify: `app.register(poolgate, { gate })`.

import { parse } from "node:querystring";
import { applyToMessage, queryOf } from "./header-changes.mjs";
import { headOf } from "./request-head.mjs";
import { answered, logged } from "./responses.mjs";

/**
 * The plugin. Register it at the root of the application. It decides in a hook `onRequest`, about all routes, also those of other plugins, and
 * about requests without a route.
 *
 * The claims of the token are at `request.poolgate`, which is `undefined` if there is no token. `observe` is called with each decision, for logs
 * and metrics; the default logs the line of the decision for the operator.
 */
export function poolgate(fastify, { gate, observe = logged }, done) {
  if (typeof gate?.decide !== "function") return done(new TypeError("the option gate must be a gate"));
  fastify.decorateRequest("poolgate", null);
  fastify.addHook("onRequest", async (request, reply) => {
    const isHttp2 = request.raw.httpVersionMajor === 2;
    const { response, claims } = await answered(() => decided(gate, request), observe, request.method, isHttp2);
    request.poolgate = claims;
    return response && send(reply, response);
  });
  done();
}

// The hook is for the application that registers the plugin, and not only for routes that the plugin itself would add.
poolgate[Symbol.for("skip-override")] = true;
poolgate[Symbol.for("fastify.display-name")] = "poolgate";

/** Decides about a request, and changes it if it is admitted. */
async function decided(gate, request) {
  // Fastify has already read a path in a target in absolute form, perhaps another one. As it was sent, it matches no rule.
  const decision = await gate.decide({ ...headOf(request.raw), target: request.raw.originalUrl ?? request.raw.url });
  if (decision.kind !== "admit") return decision;
  const target = applyToMessage(request.raw, decision.changes);
  // Fastify has parsed the query before.
  if (target !== undefined) request.query = parse(queryOf(target));
  return decision;
}

function send(reply, { status, headers, body }) {
  reply.code(status);
  for (const [name, value] of headers) reply.header(name, value);
  // As bytes, so that Fastify does not change the content type. It adds one to bytes that have none.
  return reply.send(body === "" ? undefined : Buffer.from(body));
}
