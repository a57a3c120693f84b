// Applies the changes of an admission to a request. A request that is passed on without them has the headers that a client forged.

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e]*$/;
const TARGET = /^(\/[\x21-\x7e\x80-\xff]*|\*)$/;

/**
 * Applies the changes to a message of Node: to `headers`, `headersDistinct` and `rawHeaders`, and a changed target to `url` and `originalUrl`.
 * Returns the new target, or `undefined` if it stays. Throws an `Error` if HTTP does not allow a change.
 */
export function applyToMessage(message, changes) {
  let target;
  for (const change of changes.map(checked)) {
    if (change.set === ":path") target = change.value;
    else replace(message, change);
  }
  if (target !== undefined) setTarget(message, target);
  return target;
}

/** Returns a fetch-style request with the changes. Throws an `Error` if HTTP does not allow a change. */
export function changedRequest(request, changes) {
  const headers = new Headers(request.headers);
  let { url } = request;
  for (const { remove, set, value } of changes.map(checked)) {
    if (set === ":path") url = new URL(value, url).href;
    else if (set !== undefined) headers.set(set, value);
    else headers.delete(remove);
  }
  const { method, body, signal, redirect } = request;
  return new Request(url, { method, headers, body, signal, redirect, duplex: "half" });
}

/** Replaces the target of a message. In an application that is mounted at a path, `url` has no such prefix. */
export function setTarget(message, target) {
  const prefix = message.baseUrl ?? "";
  if (!target.startsWith(prefix)) throw new Error("the new target is outside of the application");
  const rest = target.slice(prefix.length);
  message.url = rest.startsWith("/") || rest === "*" ? rest : `/${rest}`;
  if (message.originalUrl !== undefined) message.originalUrl = target;
  if (Object.hasOwn(message.headers, ":path")) replace(message, { set: ":path", value: target });
}

function replace({ headers, headersDistinct, rawHeaders }, { remove, set, value }) {
  const name = (set ?? remove).toLowerCase();
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (rawHeaders[index].toLowerCase() === name) rawHeaders.splice(index, 2);
  }
  delete headers[name];
  if (headersDistinct) delete headersDistinct[name];
  if (set === undefined) return;
  rawHeaders.push(name, value);
  headers[name] = value;
  if (headersDistinct) headersDistinct[name] = [value];
}

/** Checks that HTTP allows a change. */
function checked(change) {
  const { remove, set, value } = change;
  const isAllowed = set === undefined ? typeof remove === "string" : set === ":path" ? TARGET.test(value) : NAME.test(set) && VALUE.test(value);
  if (!isAllowed) throw new Error("HTTP does not allow a change to the headers");
  return change;
}
