// The gate on Node: decides about whole requests by one configuration, the file of docs/gate.md.

import { DiscoveredKeySource } from "./discovery.mjs";
import { isAllowed } from "./key-server.mjs";
import { component } from "./poolgate.mjs";
import { lengthOf, toRequestHead } from "./request-head.mjs";
import { tooLarge, undecided } from "./responses.mjs";
import { Sandbox } from "./sandbox.mjs";
import { toClaims } from "./verifier.mjs";

/** The maximum size of the head of a request, in bytes. It keeps a request from using up the memory of the instance. */
const HEAD_LIMIT = 1024 * 1024;
/** The maximum number of fetches that one request waits for. */
const MAX_WAITS = 2;

/** A fault of the configuration. `at` is its position, such as `routes[2].methods`. */
export class GateConfigError extends Error {
  name = "GateConfigError";

  constructor({ at, message }) {
    super(at === "" ? message : `${at}: ${message}`);
    this.at = at;
  }
}

/**
 * Creates a gate. `json` is the text of poolgate.json. `clock` returns the seconds since the Unix epoch; the default is the system clock.
 * Throws a `GateConfigError` for an invalid configuration, and a `TypeError` if `json` is not a text.
 */
export async function createGate(json, { clock = () => Date.now() / 1000 } = {}) {
  if (typeof json !== "string") throw new TypeError("the configuration must be the text of poolgate.json");
  if (typeof clock !== "function") throw new TypeError("clock must be a function that returns seconds");
  return Gate.create(json, clock);
}

/** Decides about requests in an instance of the component. Create one with `createGate` and keep it: it holds the keys. */
class Gate {
  #sandbox;
  #settings;
  /** The claims of cached tokens, for the instance that has cached them. */
  #claims = new WeakMap();
  #waiting = 0;

  static async create(json, clock) {
    const gate = new Gate();
    const jitterSeed = crypto.getRandomValues(new BigUint64Array(1))[0];
    const keySource = new DiscoveredKeySource(clock);
    gate.#sandbox = new Sandbox(component, clock, (exports) => {
      if (!exports.gate) throw new Error("the component has no gate: build request-gate-simd, as the README says");
      gate.#settings = configured(() => exports.gate.configure(json, jitterSeed));
    }, keySource);
    await gate.#sandbox.start();
    const keyUrls = gate.#sandbox.exports.verifier.keyReports().map(({ url }) => url).filter((url) => url !== undefined);
    const refused = keyUrls.find((url) => !isAllowed(url));
    if (refused !== undefined) throw new GateConfigError({ at: "pools", message: `keys can't be fetched from ${refused}: use https` });
    keySource.configure(gate.#settings);
    return gate;
  }

  /** Warnings about the configuration, as a list of `{ at, message }`. */
  get warnings() {
    return this.#settings.warnings.map(({ at, message }) => ({ at, message }));
  }

  /** The names of the headers that claims are forwarded in. */
  get claimHeaders() {
    return [...this.#settings.claimHeaders];
  }

  /** Whether the application receives the token. If not, `changes` of the decision remove it. */
  get forwardsTokens() {
    return this.#settings.forwardsTokens;
  }

  /**
   * Decides about a request. `head` is `{ method, target, authority, headers }`: `target` is the path and the query as the client sent them,
   * `authority` is the host (`undefined` if there is not exactly one), and `headers` is a list of `[name, value]` with all header fields.
   * A value is a string whose characters are bytes, as in `rawHeaders` of Node, or a `Uint8Array`.
   *
   * It waits for keys if they are missing, at most as long as `limits.wait_ms` of the configuration says. It throws a `TypeError` for a head that
   * is none. Every failure of the sandbox is a rejection with the status 503.
   */
  async decide(head) {
    const request = toRequestHead(head);
    if (lengthOf(request) > HEAD_LIMIT) return tooLarge();
    try {
      return (await this.#decided(request)) ?? undecided("sandbox-failed");
    } catch {
      return undecided("sandbox-failed");
    }
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

  /** Returns the state of the key sets: the records `key-report` of wit/verifier.wit. */
  keyReports() {
    return this.#sandbox.call(({ verifier }) => verifier.keyReports()) ?? [];
  }

  /** Returns the decision, or `undefined` if the sandbox failed. */
  async #decided(request) {
    await this.#sandbox.start();
    const receivedAt = this.#sandbox.tick();
    const deadline = performance.now() + this.#settings.waitMs;
    let step = this.#step((gate) => gate.decide(request));
    // A fetch that started before the request arrived does not prove that its key does not exist: then one more fetch follows.
    for (let waits = 0; step?.pendingUrl !== undefined; waits += 1) {
      const fetch = this.#sandbox.fetchInProgress(step.pendingUrl);
      if (!fetch || waits === MAX_WAITS || !(await this.#ends(fetch, deadline))) {
        // The route may admit a request without keys: it may only report.
        step = this.#step((gate) => gate.decideWithoutKeys(request));
        break;
      }
      await this.#sandbox.start();
      step = this.#step((gate) => gate.decideAfterFetch(request, receivedAt));
    }
    return step?.pendingUrl === undefined ? step : undecided("keys-unavailable");
  }

  /** Waits for the end of a fetch, until the deadline at most. Returns whether it has ended. */
  async #ends(fetch, deadline) {
    if (this.#waiting >= this.#settings.waitingRequests) return false;
    this.#waiting += 1;
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, Math.max(0, deadline - performance.now()), false);
    });
    try {
      return await Promise.race([fetch.then(() => true), late]);
    } finally {
      clearTimeout(timer);
      this.#waiting -= 1;
    }
  }

  #step(ask) {
    return this.#sandbox.call((exports) => this.#toStep(ask(exports.gate), exports));
  }

  /** Converts the variant `decision`. A decision that the contract does not have is an error of the instance, never an admission. */
  #toStep({ tag, val }, instance) {
    switch (tag) {
      case "admit":
        return { kind: "admit", claims: this.#claimsOf(val.claims, instance), changes: val.changes.map(toChange), reported: val.reported };
      case "reject": {
        const { reason, status, headers, body, grpcStatus, grpcMessage, log } = val;
        const grpc = grpcStatus === undefined ? undefined : { status: grpcStatus, message: grpcMessage };
        return { kind: "reject", status, headers: headers.map(toField), body, reason, grpc, log };
      }
      case "respond":
        return { kind: "respond", status: val.status, headers: val.headers.map(toField), body: val.body };
      case "pending-keys":
        return { pendingUrl: val };
      default:
        throw new Error("an unknown decision");
    }
  }

  /** Stores new claims, or returns stored ones. Each request gets its own copy. */
  #claimsOf({ tag, val }, instance) {
    if (!this.#claims.has(instance)) this.#claims.set(instance, new Map());
    const stored = this.#claims.get(instance);
    switch (tag) {
      case "none":
        return undefined;
      case "new":
        // A slot holds one token, so the table is not larger than the cache of the instance.
        if (val.handle) stored.set(val.handle.slot, { version: val.handle.version, verified: val.verified });
        return claims(val.verified);
      case "cached": {
        const entry = stored.get(val.handle.slot);
        // The instance has returned them before, so one of the two is broken.
        if (entry?.version !== val.handle.version) throw new Error("unknown claims");
        return claims({ ...entry.verified, keysAreStale: val.keysAreStale });
      }
      default:
        throw new Error("unknown claims");
    }
  }
}

function configured(configure) {
  try {
    return configure();
  } catch (error) {
    throw typeof error?.payload?.message === "string" ? new GateConfigError(error.payload) : error;
  }
}

function claims(verified) {
  return toClaims({ ...verified, groups: [...verified.groups], scopes: [...verified.scopes] });
}

/** Converts the variant `header-change` to `{ remove: name }` or `{ set: name, value }`. */
function toChange({ tag, val }) {
  switch (tag) {
    case "remove":
      return { remove: val };
    case "set":
      return { set: val[0], value: val[1] };
    default:
      throw new Error("an unknown change");
  }
}

function toField({ name, value }) {
  return [name, Buffer.from(value).toString("latin1")];
}
