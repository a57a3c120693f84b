// The verifier itself, for every JavaScript engine: poolgate.mjs beside it says where the component comes from.

import { toConfig } from "./configuration.mjs";
import { fetchKeys, isAllowed } from "./key-server.mjs";

const STATUS = { "invalid-token": 401, "insufficient-scope": 403, unavailable: 503 };

/** A refusal. Tell the caller the `status` alone; `reason` (one of README.md's table) and `hint` are for logs. */
export class Denial extends Error {
  name = "Denial";

  constructor(reason, status, pendingKeyUrl, hint) {
    super(`the token is refused: ${reason}`);
    this.reason = reason;
    this.status = status;
    /** The URL of keys that are being fetched, if it is for them that the token was not judged. */
    this.pendingKeyUrl = pendingKeyUrl;
    /** What else there is to say to the operator, if anything: which claim is of a wrong type, or that only a slash is wrong. */
    this.hint = hint;
  }
}

/** Verifies tokens in an instance of the component. Make one and keep it: it holds the keys. */
export class Verifier {
  #component;
  #config;
  #clock;
  #seeds = new Map();
  #fetches = new Map();
  /** Numbers the tokens and the fetches in the order in which they come and begin. */
  #tick = 0n;
  #exports;
  #start;
  #timer;

  /**
   * `component` is what poolgate.mjs makes; `clock` tells the seconds since the Unix epoch.
   * Throws a `TypeError` for what can't be understood and an `Error` with the name of a `config-error` for what isn't taken.
   */
  static async create(component, options, { clock = () => Date.now() / 1000 } = {}) {
    const verifier = new Verifier();
    verifier.#component = component;
    verifier.#config = toConfig(options);
    verifier.#clock = clock;
    await verifier.#running();
    return verifier;
  }

  /** The claims of a good token. It waits for keys that are being fetched. Throws a `Denial` for every other token. */
  async verify(token) {
    await this.#running();
    const receivedAt = (this.#tick += 1n);
    let judge = () => this.verifySync(token);
    // A fetch that began before the token came is no proof that its key is not there: then there is one more to wait for.
    for (let waits = 0; ; waits += 1) {
      try {
        return judge();
      } catch (denial) {
        const fetch = this.#fetches.get(denial.pendingKeyUrl);
        if (!fetch || waits === 2) throw denial;
        await fetch;
        await this.#running();
        judge = () => this.#judge("verifyAfterFetch", token, receivedAt);
      }
    }
  }

  /** The same at once: where keys are missing it throws a `Denial` with status 503, and starts to fetch them. */
  verifySync(token) {
    return this.#judge("verify", token);
  }

  /** Fetches the keys that it is time to fetch, and waits for them. */
  async refreshKeys() {
    await this.#running();
    this.#guarded(() => this.#exports?.maintain());
    await Promise.all(this.#fetches.values());
  }

  /** Refreshes keys in the background, so that no token waits for them. The timer keeps no process alive. */
  keepKeysFresh() {
    this.#timer ??= setInterval(() => void this.refreshKeys().catch(() => {}), 1_000);
    this.#timer.unref?.();
  }

  /** Ends what `keepKeysFresh` began. */
  close() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Takes a JWK Set (text) that no fetch brought. `issuer` is a configured one, or "" for a pool that checks none.
   * Throws an `Error` with the name of a `key-set-error`.
   */
  async loadKeySet(issuer, jwks, fetchedAt = this.#clock()) {
    await this.#running();
    this.#seed(issuer, jwks, fetchedAt);
    this.#seeds.set(issuer, [jwks, fetchedAt]);
  }

  /** The state of the keys: the records `key-report` of wit/verifier.wit. */
  keyReports() {
    return this.#exports?.keyReports() ?? [];
  }

  #seed(issuer, jwks, fetchedAt) {
    const bytes = new TextEncoder().encode(jwks);
    this.#named("the keys are not taken", () => this.#exports.loadKeySet(issuer, bytes, seconds(fetchedAt)));
  }

  #judge(verify, token, ...receivedAt) {
    if (typeof token !== "string") throw new TypeError("a token is a string");
    if (!this.#exports) throw new Denial("sandbox-failed", 503);
    const verdict = this.#guarded(() => {
      try {
        return { claims: this.#exports[verify](token, ...receivedAt) };
      } catch (error) {
        if (error?.payload?.reason === undefined) throw error;
        return { denial: error.payload };
      }
    });
    if (!verdict) throw new Denial("sandbox-failed", 503);
    if (verdict.denial) {
      const { reason, error, pendingKeyUrl, hint } = verdict.denial;
      throw new Denial(reason, STATUS[error] ?? 503, pendingKeyUrl, hint);
    }
    return toClaims(verdict.claims);
  }

  /** What no result of the contract is, is a trap: the instance is never used again, and the next call starts a new one. */
  #guarded(call) {
    try {
      return call();
    } catch {
      this.#exports = this.#start = undefined;
      return undefined;
    }
  }

  #named(what, call) {
    try {
      return call();
    } catch (error) {
      throw typeof error?.payload === "string" ? new Error(`${what}: ${error.payload}`) : error;
    }
  }

  #running() {
    this.#start ??= this.#instantiate().catch((error) => {
      this.#start = undefined;
      throw error;
    });
    return this.#start;
  }

  async #instantiate() {
    const instance = {};
    const { verifier } = await this.#component.instantiate(this.#component.coreModule, {
      "wasi:clocks/wall-clock": {
        now: () => ({ seconds: seconds(this.#clock()), nanoseconds: 0 }),
        resolution: () => ({ seconds: 1n, nanoseconds: 0 }),
      },
      "poolgate:auth/key-source": {
        // An import can't wait here: it says `deferred`, and what came is brought with `keys-fetched`.
        fetch: (url, keyId, etag) => {
          if (!isAllowed(url)) throw "refused";
          this.#fetch(instance, url, keyId, etag);
          throw "deferred";
        },
      },
    });
    this.#named("the configuration is not taken", () => verifier.configure(this.#config));
    instance.exports = this.#exports = verifier;
    for (const [issuer, [jwks, fetchedAt]] of this.#seeds) this.#seed(issuer, jwks, fetchedAt);
  }

  #fetch(instance, url, keyId, etag) {
    const startedAt = (this.#tick += 1n);
    const fetched = fetchKeys(url, etag).then((outcome) => {
      if (this.#fetches.get(url) === fetched) this.#fetches.delete(url);
      if (instance.exports !== this.#exports) return;
      this.#guarded(() => {
        try {
          this.#exports.keysFetched(url, keyId, startedAt, seconds(this.#clock()), outcome);
        } catch (error) {
          // A set that is not taken: the keys held before stay, and the key report tells of it.
          if (typeof error?.payload !== "string") throw error;
        }
      });
    });
    this.#fetches.set(url, fetched);
  }
}

function seconds(time) {
  return typeof time === "bigint" ? time : BigInt(Math.floor(time));
}

/** The record `verified`, with numbers for times, and the payload read. */
function toClaims(verified) {
  const { issuedAt, expiresAt, authTime, payload, ...rest } = verified;
  const number = (time) => (time === undefined ? undefined : Number(time));
  return {
    ...rest, issuedAt: number(issuedAt), expiresAt: number(expiresAt), authTime: number(authTime),
    payload: JSON.parse(payload),
  };
}
