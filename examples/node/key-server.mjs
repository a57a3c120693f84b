// Fetches a JWK Set over the network: the import `key-source` of wit/key-source.wit.

const TIMEOUT_MS = 5_000;
const BODY_LIMIT = 262_144;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Returns whether keys may be fetched from this URL: https, or http on this machine, which emulators use. */
export function isAllowed(url) {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  if (username || password) return false;
  return protocol === "https:" || (protocol === "http:" && LOOPBACK.has(hostname));
}

/** Returns a `result<key-response, fetch-error>`. It never throws, and ends after `timeoutMs` at the latest. `bodyLimit` is in bytes. */
export async function fetchKeys(url, etag, { timeoutMs = TIMEOUT_MS, bodyLimit = BODY_LIMIT } = {}) {
  const signal = AbortSignal.timeout(timeoutMs);
  // In a browser, `If-None-Match` would need a preflight, to which Cognito does not respond. The browser's own cache has the same effect.
  const headers = etag === undefined || "document" in globalThis ? {} : { "If-None-Match": etag };
  try {
    const response = await fetch(url, {
      headers, signal, redirect: "manual", credentials: "omit", referrerPolicy: "no-referrer",
    });
    const caching = { maxAge: maxAge(response.headers), etag: response.headers.get("etag") ?? undefined };
    if (response.status === 304) return { tag: "ok", val: { body: undefined, ...caching } };
    if (response.status !== 200) return { tag: "err", val: "bad-status" };
    const body = await limited(response.body, bodyLimit);
    return body ? { tag: "ok", val: { body, ...caching } } : { tag: "err", val: "too-large" };
  } catch {
    return { tag: "err", val: signal.aborted ? "timed-out" : "unreachable" };
  }
}

/** Reads the body. Returns `undefined` if it is longer than the limit. */
async function limited(stream, bodyLimit) {
  const chunks = [];
  let length = 0;
  for (let reader = stream.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > bodyLimit) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
  const body = new Uint8Array(length);
  chunks.reduce((offset, chunk) => (body.set(chunk, offset), offset + chunk.length), 0);
  return body;
}

/** Returns the remaining freshness lifetime in seconds (RFC 9111 section 4.2), from `Cache-Control` and `Age`. */
function maxAge(headers) {
  const control = (headers.get("cache-control") ?? "").toLowerCase();
  if (/(^|[\s,])no-(store|cache)([\s,=]|$)/.test(control)) return 0n;
  const match = /(^|[\s,])max-age="?(\d{1,10})/.exec(control);
  if (!match) return undefined;
  const age = /^\d{1,10}$/.test(headers.get("age") ?? "") ? BigInt(headers.get("age")) : 0n;
  const left = BigInt(match[2]) - age;
  return left > 0n ? left : 0n;
}
