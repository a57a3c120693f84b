// The head of a request, as the gate reads it.

/** A target in absolute form (RFC 9112 section 3.2.2): the authority, and the rest. */
const ABSOLUTE = /^https?:\/\/([^/?#]+)(.*)$/is;

/**
 * Returns the head of a message of `node:http`, `node:https` or of the compatibility API of `node:http2`, as `decide` takes it.
 *
 * The target is the one that the client sent, also if Express or Fastify has changed `url`. Without a framework, a target in absolute form becomes
 * a path and a query, and names the authority.
 */
export function headOf(message) {
  const { method, rawHeaders } = message;
  const { target, host } = targetOf(message);
  const [headers, names] = [[], new Set()];
  let authority = host;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name, value] = [rawHeaders[index], rawHeaders[index + 1]];
    names.add(name.toLowerCase());
    if (name === ":authority") authority = value;
    if (!name.startsWith(":")) headers.push([name, value]);
  }
  // What a framework or an adapter has added: the application sees it, too.
  for (const [name, value] of Object.entries(message.headers)) {
    if (!names.has(name)) headers.push(...[value].flat().map((each) => [name, String(each)]));
  }
  return { method, target, authority: theOne(authority, headers), headers };
}

function targetOf({ url, originalUrl }) {
  // A router of a framework may have read another path in a target in absolute form. As it was sent, it matches no rule.
  if (originalUrl !== undefined) return { target: originalUrl };
  const [, host, rest] = ABSOLUTE.exec(url) ?? [];
  if (host === undefined) return { target: url };
  return { target: rest.startsWith("/") ? rest : `/${rest}`, host };
}

/** Returns the authority, or the only field `Host`. Returns `undefined` if there are two fields, or if the two differ. */
function theOne(authority, headers) {
  const hosts = headers.filter(([name]) => name.toLowerCase() === "host").map(([, value]) => value);
  const [host, another] = hosts;
  if (another !== undefined) return undefined;
  if (authority === undefined || host === undefined) return authority ?? host;
  return authority.toLowerCase() === host.toLowerCase() ? authority : undefined;
}

/** Converts a head to the record `request-head` of the contract. Throws a `TypeError` if it is none. */
export function toRequestHead({ method, target, authority, headers }) {
  const texts = [method, target, authority ?? ""];
  const isField = (field) => Array.isArray(field) && field.length === 2 && typeof field[0] === "string";
  if (texts.some((text) => typeof text !== "string") || !Array.isArray(headers) || !headers.every(isField)) {
    throw new TypeError("the head of a request is { method, target, authority, headers: [[name, value], …] }");
  }
  return { method, target, authority: authority ?? undefined, headers: headers.map(([name, value]) => ({ name, value: bytesOf(value) })) };
}

/** Returns the bytes of a header's value: one for each character, as Node reads them. */
function bytesOf(value) {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string") throw new TypeError("the value of a header is a string or a Uint8Array");
  return Buffer.from(value, /[^\0-\xff]/.test(value) ? "utf8" : "latin1");
}

/** Returns the number of bytes of all parts. */
export function lengthOf({ method, target, authority, headers }) {
  const texts = Buffer.byteLength(method) + Buffer.byteLength(target) + Buffer.byteLength(authority ?? "");
  return headers.reduce((sum, { name, value }) => sum + Buffer.byteLength(name) + value.length, texts);
}
