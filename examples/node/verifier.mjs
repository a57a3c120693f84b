// The verifier, for every JavaScript engine. poolgate.mjs passes it the component.

import { known, requirementNames, toConfig } from "./configuration.mjs";
import { Sandbox, named, seconds } from "./sandbox.mjs";

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
  #sandbox;
  #clock;
  /** The names of the requirements; each has the index of its bit. */
  #requirements;
  #localKeySets = new Map();

  /**
   * Creates a verifier. `component` comes from poolgate.mjs; `clock` returns the seconds since the Unix epoch.
   * Throws a `TypeError` for a malformed configuration, and an `Error` with the name of a `config-error` for an invalid one.
   */
  static async create(component, options, { clock = () => Date.now() / 1000 } = {}) {
    const verifier = new Verifier();
    const config = toConfig(options);
    verifier.#requirements = requirementNames(options);
    verifier.#clock = clock;
    verifier.#sandbox = new Sandbox(component, clock, (exports) => {
      named("the configuration was rejected", () => exports.verifier.configure(config));
      for (const [issuer, [jwks, fetchedAt]] of verifier.#localKeySets) load(exports, issuer, jwks, fetchedAt);
    });
    await verifier.#sandbox.start();
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
    await this.#sandbox.start();
    const receivedAt = this.#sandbox.tick();
    let attempt = () => this.#call(requirement, "verify", token);
    // A fetch that started before the token arrived does not prove that its key does not exist: then one more fetch follows.
    for (let waits = 0; ; waits += 1) {
      try {
        return attempt();
      } catch (denial) {
        const fetch = this.#sandbox.fetchInProgress(denial.pendingKeyUrl);
        if (!fetch || waits === 2) throw denial;
        await fetch;
        await this.#sandbox.start();
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
    const explanation = this.#sandbox.call(({ verifier }) => verifier.explain(token));
    if (!explanation) throw new Denial("sandbox-failed", 503);
    return toExplanation(explanation);
  }

  /** Starts the fetches that are due, and waits for them. */
  refreshKeys() {
    return this.#sandbox.refreshKeys();
  }

  /** Refreshes keys in the background, once per second if one is due. The timer does not keep the process alive. */
  keepKeysFresh() {
    this.#sandbox.keepKeysFresh();
  }

  /** Stops the timer of `keepKeysFresh`. */
  close() {
    this.#sandbox.close();
  }

  /**
   * Loads a JWK Set (text) that you supply. `issuer` is a configured one, or "" for a pool that does not check it.
   * Throws an `Error` with the name of a `key-set-error`.
   */
  async loadKeySet(issuer, jwks, fetchedAt = this.#clock()) {
    await this.#sandbox.start();
    load(this.#sandbox.exports, issuer, jwks, fetchedAt);
    this.#localKeySets.set(issuer, [jwks, fetchedAt]);
  }

  /** Returns the state of the key sets: the records `key-report` of wit/verifier.wit. */
  keyReports() {
    return this.#sandbox.exports?.verifier.keyReports() ?? [];
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
    const result = this.#sandbox.call(({ verifier }) => {
      try {
        const claims = verifier[name](token, ...receivedAt);
        if (nonce !== undefined || accessToken !== undefined) verifier.checkIdToken(token, nonce, accessToken);
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
    const { requirements } = result.claims;
    const fits = this.#requirements.filter((_, index) => (requirements >> BigInt(index)) & 1n);
    if (requirement !== undefined && !fits.includes(requirement)) throw new Denial("claim-forbidden", 403);
    return { ...toClaims(result.claims), fits };
  }
}

function load({ verifier }, issuer, jwks, fetchedAt) {
  const bytes = new TextEncoder().encode(jwks);
  named("the key set was rejected", () => verifier.loadKeySet(issuer, bytes, seconds(fetchedAt)));
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

/** Converts the record `verified`: times become numbers, and the payload is parsed. */
export function toClaims(verified) {
  const { issuedAt, expiresAt, authTime, payload, requirements: _, ...rest } = verified;
  const number = (time) => (time === undefined ? undefined : Number(time));
  return {
    ...rest, issuedAt: number(issuedAt), expiresAt: number(expiresAt), authTime: number(authTime),
    payload: JSON.parse(payload),
  };
}
