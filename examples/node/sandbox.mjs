// An instance of the component: its start, its replacement after a trap, its clock, and the fetches of its keys.

import { fetchKeys, isAllowed } from "./key-server.mjs";

/** Fetches every key set at its own URL. */
const KEYS_AT_THEIR_URL = { fetch: fetchKeys, judged() {} };

export class Sandbox {
  #component;
  #clock;
  #configure;
  #keySource;
  #fetches = new Map();
  /** The logical time of the contract: numbers calls as they are received and fetches as they start. */
  #logicalTime = 0n;
  #exports;
  #start;
  #timer;

  /**
   * `component` comes from poolgate.mjs. `clock` returns the seconds since the Unix epoch. `configure` gets the exports of each new instance.
   * `keySource.fetch` returns a `result<key-response, fetch-error>` within a limited time, and `keySource.judged` is told whether the key set
   * that was fetched for a URL is in use.
   */
  constructor(component, clock, configure, keySource = KEYS_AT_THEIR_URL) {
    this.#component = component;
    this.#clock = clock;
    this.#configure = configure;
    this.#keySource = keySource;
  }

  /** Starts an instance, unless one is running. */
  start() {
    this.#start ??= this.#instantiate().catch((error) => {
      this.#start = undefined;
      throw error;
    });
    return this.#start;
  }

  /** The exports of the running instance. `undefined` if none is running. */
  get exports() {
    return this.#exports;
  }

  /**
   * Calls the instance with its exports. Returns `undefined` if no instance is running, and if the call fails. An error that is not a result of
   * the contract is a trap: `start` then starts a new instance. `call` must handle the errors of the contract.
   */
  call(call) {
    if (!this.#exports) return undefined;
    try {
      return call(this.#exports);
    } catch {
      this.#exports = this.#start = undefined;
      return undefined;
    }
  }

  /** Returns the next logical time. */
  tick() {
    return (this.#logicalTime += 1n);
  }

  /** Returns a promise for the end of the fetch of a URL, if one is in progress. It never rejects. */
  fetchInProgress(url) {
    return this.#fetches.get(url);
  }

  /** Starts the fetches that are due, and waits for them. */
  async refreshKeys() {
    await this.start();
    this.call(({ verifier }) => verifier.maintain());
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

  async #instantiate() {
    const instance = {};
    const exports = await this.#component.instantiate(this.#component.coreModule, {
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
    this.#configure(exports);
    instance.exports = this.#exports = exports;
  }

  #fetch(instance, url, keyId, etag) {
    const startedAt = this.tick();
    const failed = () => ({ tag: "err", val: "unreachable" });
    const fetched = this.#keySource.fetch(url, etag).catch(failed).then((outcome) => {
      if (this.#fetches.get(url) === fetched) this.#fetches.delete(url);
      if (instance.exports !== this.#exports) return;
      this.call(({ verifier }) => {
        try {
          verifier.keysFetched(url, keyId, startedAt, seconds(this.#clock()), outcome);
          if (outcome.tag === "ok") this.#keySource.judged(url, true);
        } catch (error) {
          // The key set was rejected: the previous one stays, and the key report has the error.
          if (typeof error?.payload !== "string") throw error;
          this.#keySource.judged(url, false);
        }
      });
    });
    this.#fetches.set(url, fetched);
  }
}

/** Converts seconds to those of the contract. */
export function seconds(time) {
  return typeof time === "bigint" ? time : BigInt(Math.floor(time));
}

/** Throws an error of the contract as an `Error`. `what` is what it means. */
export function named(what, call) {
  try {
    return call();
  } catch (error) {
    throw typeof error?.payload === "string" ? new Error(`${what}: ${error.payload}`) : error;
  }
}
