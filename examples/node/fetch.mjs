// The gate in front of a fetch-style handler, which gets a `Request` and returns a `Response`.

import { applyToMessage, changedRequest } from "./header-changes.mjs";
import { headOf } from "./request-head.mjs";
import { logFailure, logged, responseOf, undecided } from "./responses.mjs";

/**
 * Returns a handler that calls `handler(request, claims, ...others)` for an admitted request, with the changes of the decision. `claims` is
 * `undefined` if there is no token. `observe` is as in express.mjs.
 */
export function guarded(gate, handler, { observe = logged } = {}) {
  return async (request, ...others) => {
    const { response, admitted, claims } = await decided(gate, request, undefined, observe);
    return response ?? handler(admitted, claims, ...others);
  };
}

/**
 * Decides about a request. Returns `{ response }` if the application must not receive it; otherwise `{ admitted, claims }`, where `admitted` is
 * the request with the changes of the decision. `message` is the message of Node from which a server has made the request, if there is one.
 */
export async function decided(gate, request, message, observe) {
  const isRaw = isMadeFrom(request, message);
  try {
    const decision = await gate.decide(isRaw ? headOf(message) : headOfRequest(request));
    observe(decision);
    if (decision.kind !== "admit") return { response: toResponse(decision, request, isRaw && message.httpVersionMajor === 2) };
    const { changes, claims } = decision;
    const admitted = changes.length === 0 ? request : changedRequest(request, changes);
    // The application can also read the message itself.
    if (isRaw) applyToMessage(message, changes);
    return { admitted, claims };
  } catch (error) {
    logFailure(error);
    return { response: toResponse(undecided("sandbox-failed"), request, false) };
  }
}

function toResponse(decision, { method }, isHttp2) {
  const { status, headers, body } = responseOf(decision, method, isHttp2);
  const fields = headers.flatMap(([name, value]) => [value].flat().map((each) => [name, each]));
  return new Response(body === "" ? null : body, { status, headers: fields });
}

/**
 * Returns the head of a fetch-style request. `Headers` has joined repeated fields, and the URL may have been normalized. Where a head could be of
 * several requests, it is read as one that is rejected.
 */
export function headOfRequest({ method, url, headers }) {
  const [, target] = /^[^:]+:\/\/[^/?#]*(.*)$/s.exec(url) ?? [];
  const fields = [...headers].flatMap(([name, value]) => (name === "authorization" ? credentials(value) : [value]).map((each) => [name, each]));
  return { method, target: target?.startsWith("/") ? target : `/${target ?? ""}`, authority: hostOf(url, headers.get("host")), headers: fields };
}

/** Returns the host of a URL, as the field `Host` spells it. Returns `undefined` if the two differ. */
function hostOf(url, field) {
  const { protocol, host } = new URL(url);
  if (field === null) return host;
  const named = `${protocol}//${field}`;
  return URL.canParse(named) && new URL(named).host === host ? field : undefined;
}

/** Splits several credentials that `Headers` has joined: each begins with a scheme. A parameter of a scheme has a `=`. */
function credentials(value) {
  return value.split(/,\s*(?=[!#$%&'*+\-.^_`|~0-9A-Za-z]+ +[^=\s])/);
}

/** Returns whether the request has the method, the target and the headers of the message. A request that was made within the application has not. */
function isMadeFrom(request, message) {
  if (!Array.isArray(message?.rawHeaders) || message.method !== request.method) return false;
  try {
    const { rawHeaders } = message;
    const fields = new Headers();
    for (let index = 0; index < rawHeaders.length; index += 2) {
      if (!rawHeaders[index].startsWith(":")) fields.append(rawHeaders[index], rawHeaders[index + 1]);
    }
    const { origin, href } = new URL(request.url);
    return new URL(origin + message.url).href === href && JSON.stringify([...fields]) === JSON.stringify([...request.headers]);
  } catch {
    return false;
  }
}
