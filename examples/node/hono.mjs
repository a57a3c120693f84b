// The gate in Hono: `app.use(poolgate(gate))`, before everything else.

import { decided } from "./fetch.mjs";
import { logged } from "./responses.mjs";

/**
 * Returns the middleware. It must be the first one, and in the outermost application.
 *
 * The claims of the token are at `c.get("poolgate")`, which is `undefined` if there is no token. `observe` is called with each decision, for logs
 * and metrics; the default logs the line of the decision for the operator. With @hono/node-server, the head is read as the client sent it.
 */
export function poolgate(gate, { observe = logged } = {}) {
  return async (c, next) => {
    c.set("poolgate", undefined);
    const { response, admitted, claims } = await decided(gate, c.req.raw, c.env?.incoming, observe);
    if (response) return response;
    c.req.raw = admitted;
    c.set("poolgate", claims);
    await next();
  };
}
