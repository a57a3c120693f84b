// Applies the changes of an admission to a request. A request that is passed on without them has the headers that a client forged.

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Claims are in ASCII. A cookie may have other characters, which stay; U+FFFD stands for bytes that were no text, and are lost. */
const VALUE = /^[\t\x20-\x7e\u00a0-\ufffc\u{10000}-\u{10ffff}]*$/u;
const TARGET = /^(\/[\x21-\x7e\x80-\xff]*|\*)$/;

/**
 * Applies the changes to a message of Node: to `headers`, `headersDistinct` and `rawHeaders`, and a changed query to `url` and `originalUrl`.
 * Returns the new target, or `undefined` if it stays. Throws an `Error` if HTTP does not allow a change.
 */
export function applyToMessage(message, changes) {
  let target;
  for (const change of changes.map(checked)) {
    if (change.set === ":path") target = change.value;
    else replace(message, change);
  }
  if (target !== undefined) setQuery(message, target);
  return target;
}

/** Returns a fetch-style request with the changes. Throws an `Error` if HTTP does not allow a change. */
export function changedRequest(request, changes) {
  const headers = new Headers(request.headers);
  const url = new URL(request.url);
  for (const { remove, set, value } of changes.map(checked)) {
    // Only the query: a path that begins with `//` would become the host of the URL.
    if (set === ":path") url.search = parts(value).query;
    else if (set !== undefined) headers.set(set, value);
    else headers.delete(remove);
  }
  const { method, body, signal, redirect } = request;
  return new Request(url, { method, headers, body, signal, redirect, duplex: "half" });
}

/**
 * Replaces the query of a message with that of a changed target. The path stays, also one that a framework has changed: Connect and Express remove
 * the path at which an application is mounted, and Fastify has `rewriteUrl`.
 */
function setQuery(message, target) {
  const [sent, changed, own] = [message.originalUrl ?? message.url, target, message.url].map(parts);
  if (changed.path !== sent.path || own.query !== sent.query) throw new Error("not only the query has changed");
  message.url = own.path + changed.query;
  if (message.originalUrl !== undefined) message.originalUrl = target;
  if (Object.hasOwn(message.headers, ":path")) replace(message, { set: ":path", value: target });
}

/** Returns the query of a target, without the question mark. */
export function queryOf(target) {
  return parts(target).query.slice(1);
}

/** Splits a target into its path, and its query with the question mark. */
function parts(target) {
  const [, path, query] = /^([^?]*)(.*)$/s.exec(target);
  return { path, query };
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

/** Checks that HTTP allows a change, and returns it with one character for each byte of the value, as Node and `Headers` have them. */
function checked(change) {
  const { remove, set, value } = change;
  const isAllowed = set === undefined ? typeof remove === "string" : set === ":path" ? TARGET.test(value) : NAME.test(set) && VALUE.test(value);
  if (!isAllowed) throw new Error("HTTP does not allow a change to the headers");
  return set === undefined || set === ":path" ? change : { set, value: Buffer.from(value).toString("latin1") };
}
