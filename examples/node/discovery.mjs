// Key sets whose URL is in the discovery document of their issuer (docs/discovery.md has the rules). The component asks for them at the URL of the
// document.

import { fetchKeys, isAllowed } from "./key-server.mjs";
import { strictObject } from "./strict-json.mjs";

/** The maximum length of a document, in bytes. */
const DOCUMENT_LIMIT = 64 * 1024;
/** The lifetime of a document, in seconds. `Cache-Control` can shorten it. */
const LIFETIME = 86_400;
/** The time between two requests for a document, in seconds: after a failure, and after the key set was not at its URL. */
const ASK_AGAIN = 300;

/** Fetches key sets for a gate. */
export class DiscoveredKeySource {
  #clock;
  #issuers = new Map();
  #settings;

  constructor(clock) {
    this.#clock = clock;
  }

  /** Takes the settings of the gate. Throws an `Error` if two pools use one document and differ in what it may say. */
  configure(settings) {
    this.#settings = settings;
    for (const document of settings.discoveryDocuments) {
      const other = this.#issuers.get(document.url);
      if (other && !other.isOf(document)) throw new Error(`two pools use ${document.url} and differ in the issuer or the hosts that they expect`);
      this.#issuers.set(document.url, new DiscoveredKeys(document, settings, this.#clock));
    }
  }

  fetch(url, etag) {
    return this.#issuers.get(url)?.fetch(etag) ?? fetchKeys(url, etag, limitsOf(this.#settings));
  }

  judged(url, isUsable) {
    this.#issuers.get(url)?.judged(isUsable);
  }
}

/** The document of one issuer, and the URL of its key set. */
class DiscoveredKeys {
  #document;
  #settings;
  #clock;
  /** The key URL of the last valid document. */
  #newest;
  /** The key URL of the keys in use. */
  #inUse;
  /** Where the last response came from that the component has not judged yet. */
  #delivered;
  #fetchedAt = 0;
  #lifetime = LIFETIME;
  #askedAt = -Infinity;

  constructor(document, settings, clock) {
    this.#document = document;
    this.#settings = settings;
    this.#clock = clock;
  }

  isOf(document) {
    return JSON.stringify(document) === JSON.stringify(this.#document);
  }

  /**
   * Fetches the key set, and before that the document if there is none, or if its lifetime has ended. At most four requests are made. A failure
   * never takes the URL of the keys in use away.
   */
  async fetch(etag) {
    if (this.#newest === undefined) {
      const error = await this.#ask();
      if (error) return { tag: "err", val: error };
    } else if (this.#age(this.#fetchedAt) >= this.#lifetime && this.#mayAsk()) {
      await this.#ask();
    }
    let outcome = await this.#fetchFrom(this.#newest, etag);
    if (outcome.tag === "err" && this.#inUse !== undefined && this.#inUse !== this.#newest) outcome = await this.#fetchFrom(this.#inUse, etag);
    if (outcome.tag === "err" && outcome.val === "bad-status" && this.#mayAsk()) {
      const tried = this.#newest;
      await this.#ask();
      if (this.#newest !== tried) outcome = await this.#fetchFrom(this.#newest, etag);
    }
    return outcome;
  }

  /** Records whether the key set that was fetched last is in use. If it is not, the keys are fetched where those in use came from. */
  judged(isUsable) {
    if (isUsable) this.#inUse = this.#delivered;
    else if (this.#inUse !== undefined && this.#delivered === this.#newest) this.#newest = this.#inUse;
  }

  async #fetchFrom(url, etag) {
    // An ETag is that of one URL (RFC 9110 section 8.8.3).
    const condition = url === this.#inUse ? etag : undefined;
    const outcome = await fetchKeys(url, condition, limitsOf(this.#settings));
    if (outcome.tag === "err") return outcome;
    if (outcome.val.body === undefined && condition === undefined) return { tag: "err", val: "bad-status" };
    this.#delivered = url;
    return outcome;
  }

  /** Fetches and checks the document. Returns the `fetch-error` if it is not used. */
  async #ask() {
    this.#askedAt = this.#now();
    const { url } = this.#document;
    if (!isAllowed(url)) return "refused";
    const { tag, val } = await fetchKeys(url, undefined, { ...limitsOf(this.#settings), bodyLimit: DOCUMENT_LIMIT });
    if (tag === "err") return val;
    if (val.body === undefined) return "bad-status";
    const keyUrl = keyUrlIn(val.body, this.#document, this.#settings.jsonDepth);
    if (keyUrl === undefined) return "refused";
    const maxAge = val.maxAge === undefined ? LIFETIME : Number(val.maxAge);
    this.#lifetime = Math.min(Math.max(maxAge, this.#settings.softTtlMin), LIFETIME);
    this.#fetchedAt = this.#now();
    this.#newest = keyUrl;
    return undefined;
  }

  #mayAsk() {
    return this.#age(this.#askedAt) >= ASK_AGAIN;
  }

  /** Returns the seconds since a time. A clock that is set back counts as time that has passed. */
  #age(since) {
    return Math.abs(this.#now() - since);
  }

  #now() {
    return Number(this.#clock());
  }
}

function limitsOf({ fetchTimeoutMs, jwksBytes }) {
  return { timeoutMs: fetchTimeoutMs, bodyLimit: jwksBytes };
}

/** Checks a document (OpenID Connect Discovery 1.0 sections 3 and 4.3), and returns its `jwks_uri`, or `undefined` if it breaks a rule. */
export function keyUrlIn(bytes, { url, issuers, keyHosts }, depth) {
  const { issuer, jwks_uri: keyUrl } = strictObject(bytes, depth) ?? {};
  if (typeof issuer !== "string" || !issuers.includes(issuer)) return undefined;
  if (typeof keyUrl !== "string" || !isAllowed(keyUrl)) return undefined;
  const { href, protocol, hostname } = new URL(keyUrl);
  const isAsSafe = protocol === "https:" || new URL(url).protocol === "http:";
  const hosts = [...issuers.filter((each) => URL.canParse(each)).map((each) => new URL(each).hostname), ...keyHosts.map((host) => host.toLowerCase())];
  return isAsSafe && !href.includes("#") && hostname !== "" && hosts.includes(hostname) ? href : undefined;
}
