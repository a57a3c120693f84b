// The verifier, for every JavaScript engine. poolgate.mjs passes it the component.

import { known, requirementNames, toConfig } from "./configuration.mjs";
import { fetchKeys, isAllowed } from "./key-server.mjs";

const STATUS = { "invalid-token": 401, "insufficient-scope": 403, unavailable: 503 };

/** A rejection. Send `status` to the client, and nothing else. The rest is for logs; `reason` is a reason code of docs/reasons.md. */
export class Denial extends Error {
  name = "Denial";

  constructor(reason, status, { pendingKeyUrl, hint, misfit } = {}) {
    super(`the token was rejected: ${reason}`);
    this.reason = reason;
    this.status = status;
    /** The URL of the keys that are being fetched, if the token was not verified because of them. */
    this.pendingKeyUrl = pendingKeyUrl;
    /** A detail for the operator, or `undefined`: the claim of a wrong type, or that only a slash in the issuer is wrong. */
    this.hint = hint;
    /** With the reason claim-mismatch: the rule that the token does not fit, as `{ pool, rule, isAbsent }`, both numbers from 0. */
    this.misfit = misfit;
  }
}

/** Verifies tokens in an instance of the component. Create one and keep it: it holds the keys. */
export class Verifier {
  #component;
  #config;
  /** The names of the requirements; each has the index of its bit. */
  #requirements;
  #clock;
  #localKeySets = new Map();
  #fetches = new Map();
  /** The logical time of the contract: numbers tokens as they are received and fetches as they start. */
  #logicalTime = 0n;
  #exports;
  #start;
  #timer;

  /**
   * Creates a verifier. `component` comes from poolgate.mjs; `clock` returns the seconds since the Unix epoch.
   * Throws a `TypeError` for a malformed configuration, and an `Error` with the name of a `config-error` for an invalid one.
   */
  static async create(component, options, { clock = () => Date.now() / 1000 } = {}) {
    const verifier = new Verifier();
    verifier.#component = component;
    verifier.#config = toConfig(options);
    verifier.#requirements = requirementNames(options);
    verifier.#clock = clock;
    await verifier.#running();
    return verifier;
  }

  /**
   * Returns the claims of a valid token, and throws a `Denial` for any other. Waits for keys that are being fetched.
   * With `{ requirement: "NAME" }`, the token must fit that requirement of the configuration, too; otherwise the status is 403.
   * With `{ nonce }` and `{ accessToken }`, an ID token is compared with the nonce of the request and with the access token of the same
   * response (`at_hash`).
   */
  async verify(token, options) {
    const requirement = this.#options(options);
    await this.#running();
    const receivedAt = (this.#logicalTime += 1n);
    let attempt = () => this.#call(requirement, "verify", token);
    // A fetch that started before the token arrived does not prove that its key does not exist: then one more fetch follows.
    for (let waits = 0; ; waits += 1) {
      try {
        return attempt();
      } catch (denial) {
        const fetch = this.#fetches.get(denial.pendingKeyUrl);
        if (!fetch || waits === 2) throw denial;
        await fetch;
        await this.#running();
        attempt = () => this.#call(requirement, "verifyAfterFetch", token, receivedAt);
      }
    }
  }

  /** Like `verify`, without waiting: if keys are missing, it throws a `Denial` with status 503, and starts to fetch them. */
  verifySync(token, options) {
    return this.#call(this.#options(options), "verify", token);
  }

  /**
   * Explains the verdict about a token: each check, what the token has, what is accepted, and what to change. It fetches no keys: call
   * `refreshKeys` before. It has the content of the token, verified or not: show it only to who holds the token, and never with a rejection.
   */
  explain(token) {
    if (typeof token !== "string") throw new TypeError("a token is a string");
    const explanation = this.#exports && this.#guarded(() => this.#exports.explain(token));
    if (!explanation) throw new Denial("sandbox-failed", 503);
    return toExplanation(explanation);
  }

  /** Starts the fetches that are due, and waits for them. */
  async refreshKeys() {
    await this.#running();
    this.#guarded(() => this.#exports?.maintain());
    await Promise.all(this.#fetches.values());
  }

  /** Refreshes keys in the background, once per second if one is due. The timer does not keep the process alive. */
  keepKeysFresh() {
    this.#timer ??= setInterval(() => void this.refreshKeys().catch(() => {}), 1_000);
    this.#timer.unref?.();
  }

  /** Stops the timer of `keepKeysFresh`. */
  close() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Loads a JWK Set (text) that you supply. `issuer` is a configured one, or "" for a pool that does not check it.
   * Throws an `Error` with the name of a `key-set-error`.
   */
  async loadKeySet(issuer, jwks, fetchedAt = this.#clock()) {
    await this.#running();
    this.#load(issuer, jwks, fetchedAt);
    this.#localKeySets.set(issuer, [jwks, fetchedAt]);
  }

  /** Returns the state of the key sets: the records `key-report` of wit/verifier.wit. */
  keyReports() {
    return this.#exports?.keyReports() ?? [];
  }

  #load(issuer, jwks, fetchedAt) {
    const bytes = new TextEncoder().encode(jwks);
    this.#named("the key set was rejected", () => this.#exports.loadKeySet(issuer, bytes, seconds(fetchedAt)));
  }

  /** Checks the options of a call. A requirement that is not configured is an error, not a denial. */
  #options(options = {}) {
    known("the options of verify", options, ["requirement", "nonce", "accessToken"]);
    for (const name of ["nonce", "accessToken"]) {
      // An undefined nonce is one that the session has lost.
      if (Object.hasOwn(options, name) && typeof options[name] !== "string") throw new TypeError(`${name} must be a string`);
    }
    if (!Object.hasOwn(options, "requirement") || this.#requirements.includes(options.requirement)) return options;
    throw new TypeError(`there is no requirement ${options.requirement} in the configuration`);
  }

  #call({ requirement, nonce, accessToken }, name, token, ...receivedAt) {
    if (typeof token !== "string") throw new TypeError("a token is a string");
    if (!this.#exports) throw new Denial("sandbox-failed", 503);
    const result = this.#guarded(() => {
      try {
        const claims = this.#exports[name](token, ...receivedAt);
        if (nonce !== undefined || accessToken !== undefined) this.#exports.checkIdToken(token, nonce, accessToken);
        return { claims };
      } catch (error) {
        if (error?.payload?.reason === undefined) throw error;
        return { denial: error.payload };
      }
    });
    if (!result) throw new Denial("sandbox-failed", 503);
    if (result.denial) {
      const { reason, error, ...details } = result.denial;
      throw new Denial(reason, STATUS[error] ?? 503, details);
    }
    const claims = toClaims(result.claims, this.#requirements);
    if (requirement !== undefined && !claims.fits.includes(requirement)) throw new Denial("claim-forbidden", 403);
    return claims;
  }

  /** Calls the instance. An error that is not a result of the contract is a trap: the next call starts a new instance. */
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
        // An import cannot wait here: it returns `deferred`, and the response is passed in with `keys-fetched`.
        fetch: (url, keyId, etag) => {
          if (!isAllowed(url)) throw "refused";
          this.#fetch(instance, url, keyId, etag);
          throw "deferred";
        },
      },
    });
    this.#named("the configuration was rejected", () => verifier.configure(this.#config));
    instance.exports = this.#exports = verifier;
    for (const [issuer, [jwks, fetchedAt]] of this.#localKeySets) this.#load(issuer, jwks, fetchedAt);
  }

  #fetch(instance, url, keyId, etag) {
    const startedAt = (this.#logicalTime += 1n);
    const fetched = fetchKeys(url, etag).then((outcome) => {
      if (this.#fetches.get(url) === fetched) this.#fetches.delete(url);
      if (instance.exports !== this.#exports) return;
      this.#guarded(() => {
        try {
          this.#exports.keysFetched(url, keyId, startedAt, seconds(this.#clock()), outcome);
        } catch (error) {
          // The key set was rejected: the previous one stays, and the key report has the error.
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

/** Converts the record `explanation`: what is JSON is parsed, and a failed check has its `reason`. */
function toExplanation({ reason, header, payload, isSignatureValid, pool, checks }) {
  return {
    reason, isSignatureValid, pool,
    header: parsed(header),
    payload: parsed(payload),
    checks: checks.map(({ result, found, ...check }) => ({
      ...check, found: parsed(found), result: result.tag, reason: result.tag === "failed" ? result.val : undefined,
    })),
  };
}

/** Returns the value of a JSON text, or the text itself if it is no JSON. */
function parsed(text) {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return text;
  }
}

/** Converts the record `verified`: times become numbers, the payload is parsed, and `fits` has the names of requirements. */
function toClaims(verified, names) {
  const { issuedAt, expiresAt, authTime, payload, requirements, ...rest } = verified;
  const number = (time) => (time === undefined ? undefined : Number(time));
  return {
    ...rest, issuedAt: number(issuedAt), expiresAt: number(expiresAt), authTime: number(authTime),
    fits: names.filter((_, index) => (requirements >> BigInt(index)) & 1n),
    payload: JSON.parse(payload),
  };
}
