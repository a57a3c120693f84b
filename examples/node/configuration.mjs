// Converts a configuration with the field names of docs/envoy-reference.md, in camelCase, to the records of wit/verifier.wit.

const TOKEN_USES = { access: "access", id: "id", accessOrId: "access-or-id", unchecked: "unchecked" };

const LIMITS = { tokenBytes: 16_384, jsonDepth: 16, jwksBytes: 262_144, jwksKeys: 100 };

const KEY_POLICY = {
  softTtl: 3_600, softTtlMin: 300, softTtlMax: 3_600, hardTtl: 86_400, retryMin: 1, retryMax: 60, fetchDeadline: 30,
  unknownKeyFetches: 5, unknownKeyInterval: 10, unknownKeyTtl: 60, unknownKeyEntries: 256,
};

/** Returns the record `config`. Throws a `TypeError` for a missing or unknown field, so that no typing error disables a check. */
export function toConfig(options) {
  known("the configuration", options, ["pools", "limits", "keyPolicy"]);
  if (!Array.isArray(options.pools)) throw new TypeError("pools must be a list");
  const jitterSeed = crypto.getRandomValues(new BigUint64Array(1))[0];
  return {
    pools: options.pools.map(toPool),
    limits: withDefaults("limits", LIMITS, options.limits),
    keyPolicy: { ...withDefaults("keyPolicy", KEY_POLICY, options.keyPolicy), jitterSeed },
    cache: undefined,
  };
}

const POOL_MEMBERS = [
  "userPoolId", "region", "issuer", "anyIssuer", "keys", "algorithms", "tokenUse", "clientIds", "anyClient", "groups",
  "scopes", "resources", "anyResource", "anySubject", "confirmation", "maxAgeSeconds", "leewaySeconds", "issuedAtSkewSeconds",
];

function toPool(pool, index) {
  const where = `pools[${index}]`;
  known(where, pool, POOL_MEMBERS);
  if (!Object.hasOwn(TOKEN_USES, pool.tokenUse)) {
    throw new TypeError(`${where}.tokenUse must be one of ${Object.keys(TOKEN_USES).join(", ")}`);
  }
  return {
    issuer: issuerOf(where, pool),
    keys: keysOf(where, pool.keys),
    algorithms: (pool.algorithms ?? []).map((name) => name.toLowerCase()),
    tokenUse: TOKEN_USES[pool.tokenUse],
    client: oneOf(where, "clientIds", pool.clientIds, "anyClient", pool.anyClient),
    groups: membership(`${where}.groups`, pool.groups),
    scopes: membership(`${where}.scopes`, pool.scopes),
    resource:
      pool.resources === undefined && pool.anyResource === undefined
        ? { tag: "unbound" }
        : oneOf(where, "resources", pool.resources, "anyResource", pool.anyResource),
    subject: disabled(where, "anySubject", pool.anySubject) ? "unchecked" : "required",
    confirmation: confirmationOf(where, pool.confirmation),
    maxAge: pool.maxAgeSeconds,
    leeway: pool.leewaySeconds ?? 0,
    issuedAtSkew: pool.issuedAtSkewSeconds ?? 60,
  };
}

function issuerOf(where, { userPoolId, region, issuer, anyIssuer }) {
  const given = [userPoolId, issuer, anyIssuer].filter((it) => it !== undefined);
  if (given.length !== 1) throw new TypeError(`${where} must have one of userPoolId, issuer and anyIssuer`);
  if (region !== undefined && userPoolId === undefined) throw new TypeError(`${where}.region needs userPoolId`);
  if (userPoolId !== undefined) return { tag: "user-pool", val: { id: userPoolId, region } };
  if (issuer !== undefined) return { tag: "exactly", val: issuer };
  if (anyIssuer !== true) throw new TypeError(`${where}.anyIssuer must be true`);
  return { tag: "unchecked" };
}

function keysOf(where, keys) {
  if (keys === undefined) return { tag: "derived" };
  if (keys === "local") return { tag: "local" };
  known(`${where}.keys`, keys, ["url"]);
  return { tag: "url", val: keys.url };
}

function oneOf(where, listName, list, anyName, any) {
  if ((list === undefined) === (any === undefined)) throw new TypeError(`${where} must have ${listName} or ${anyName}`);
  if (list !== undefined) return { tag: "one-of", val: list };
  if (any !== true) throw new TypeError(`${where}.${anyName} must be true`);
  return { tag: "unchecked" };
}

/** Only `true` disables a check. Any other value is an error. */
function disabled(where, name, value) {
  if (value !== undefined && value !== true) throw new TypeError(`${where}.${name} must be true`);
  return value === true;
}

function confirmationOf(where, confirmation = "refuse") {
  if (!["refuse", "ignore"].includes(confirmation)) {
    throw new TypeError(`${where}.confirmation must be refuse or ignore`);
  }
  return confirmation;
}

function membership(where, required) {
  if (required === undefined) return { anyOf: undefined, allOf: undefined };
  known(where, required, ["anyOf", "allOf"]);
  const { anyOf, allOf } = required;
  if (anyOf === undefined && allOf === undefined) throw new TypeError(`${where} must have anyOf or allOf`);
  return { anyOf: names(`${where}.anyOf`, anyOf), allOf: names(`${where}.allOf`, allOf) };
}

/** Rejects an empty list, which would require nothing, or something that no token has. */
function names(where, list) {
  if (list === undefined) return undefined;
  const isName = (name) => typeof name === "string" && name !== "";
  if (!Array.isArray(list) || list.length === 0 || !list.every(isName)) {
    throw new TypeError(`${where} must be a list of names, and not empty`);
  }
  return list;
}

function withDefaults(where, defaults, given = {}) {
  known(where, given, Object.keys(defaults));
  return { ...defaults, ...given };
}

function known(where, given, names) {
  if (typeof given !== "object" || given === null) throw new TypeError(`${where} must be an object`);
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) throw new TypeError(`${where} has an unknown member ${name}`);
  }
}
