// Converts a configuration with the field names of docs/envoy-reference.md, in camelCase, to the records of wit/verifier.wit.
// The members of a claim rule keep their names in snake case: a rule is data, which is the same in every integration (docs/claims.md).

const TOKEN_USES = { access: "access", id: "id", accessOrId: "access-or-id", unchecked: "unchecked" };

const CLIENT_CLAIMS = { aud: "aud", client_id: "client-id", azp: "azp", appid: "appid", cid: "cid" };

const GUESTS = { refuse: "refuse", accept: "accept" };

const CONFIRMATIONS = { refuse: "refuse", ignore: "ignore" };

const ALGORITHMS = {
  RS256: "rs256", RS384: "rs384", RS512: "rs512", PS256: "ps256", PS384: "ps384", PS512: "ps512",
  ES256: "es256", ES384: "es384", ES512: "es512", EdDSA: "eddsa", Ed25519: "eddsa",
};

const OR = new Intl.ListFormat("en", { type: "disjunction" });

const LIMITS = { tokenBytes: 16_384, jsonDepth: 16, jwksBytes: 262_144, jwksKeys: 100 };

const KEY_POLICY = {
  softTtl: 3_600, softTtlMin: 300, softTtlMax: 3_600, hardTtl: 86_400, retryMin: 1, retryMax: 60, fetchDeadline: 30,
  unknownKeyFetches: 5, unknownKeyInterval: 10, unknownKeyTtl: 60, unknownKeyEntries: 256,
};

/** Returns the record `config`. Throws a `TypeError` for a missing or unknown field, so that no typing error disables a check. */
export function toConfig(options) {
  known("the configuration", options, ["pools", "requirements", "limits", "keyPolicy"]);
  if (!Array.isArray(options.pools)) throw new TypeError("pools must be a list");
  const jitterSeed = crypto.getRandomValues(new BigUint64Array(1))[0];
  return {
    pools: options.pools.map(toPool),
    limits: withDefaults("limits", LIMITS, options.limits),
    keyPolicy: { ...withDefaults("keyPolicy", KEY_POLICY, options.keyPolicy), jitterSeed },
    cache: undefined,
    requirements: requirementsOf(options).map(([name, rules]) => toClaimRules(`requirements.${name}`, rules)),
  };
}

/** Returns the names of the requirements, in the order of the lists in the record `config`. */
export function requirementNames(options) {
  return requirementsOf(options).map(([name]) => name);
}

function requirementsOf({ requirements = {} }) {
  if (!isObject(requirements)) throw new TypeError("requirements must be an object: lists of claim rules by name");
  return Object.entries(requirements);
}

const ISSUERS = ["userPoolId", "issuer", "issuers", "issuerTemplate", "identityPoolId", "anyIssuer"];

/** Members that are only allowed beside another one. */
const ISSUER_DETAILS = {
  region: "userPoolId", albArns: "issuer", tenants: "issuerTemplate", anyTenant: "issuerTemplate", guests: "identityPoolId",
};

const POOL_MEMBERS = [
  ...ISSUERS, ...Object.keys(ISSUER_DETAILS), "keys", "algorithms", "types", "tokenUse", "clientIds", "anyClient", "clientClaim",
  "groups", "scopes", "scopeClaim", "resources", "anyResource", "unboundClients", "claims", "anySubject", "confirmation",
  "maxAgeSeconds", "leewaySeconds", "issuedAtSkewSeconds",
];

function toPool(pool, index) {
  const where = `pools[${index}]`;
  known(where, pool, POOL_MEMBERS);
  const optional = (name, convert, absent) =>
    pool[name] === undefined ? absent : convert(`${where}.${name}`, pool[name]);
  return {
    issuer: issuerOf(where, pool),
    keys: optional("keys", toKeys, { tag: "derived" }),
    algorithms: optional("algorithms", toAlgorithms, []),
    types: optional("types", (at, types) => list(at, types, isText, "strings"), []),
    tokenUse: choice(`${where}.tokenUse`, pool.tokenUse, TOKEN_USES),
    client: clientOf(where, pool),
    clientClaim: optional("clientClaim", (at, claim) => choice(at, claim, CLIENT_CLAIMS)),
    groups: membership(`${where}.groups`, pool.groups),
    scopes: membership(`${where}.scopes`, pool.scopes),
    scopeClaim: optional("scopeClaim", text),
    resource:
      pool.resources === undefined && pool.anyResource === undefined
        ? { tag: "unbound" }
        : oneOf(where, "resources", pool.resources, "anyResource", pool.anyResource),
    unboundClients: optional("unboundClients", names, []),
    claims: optional("claims", toClaimRules, []),
    subject: disabled(where, "anySubject", pool.anySubject) ? "unchecked" : "required",
    confirmation: optional("confirmation", (at, confirmation) => choice(at, confirmation, CONFIRMATIONS), "refuse"),
    maxAge: optional("maxAgeSeconds", seconds),
    leeway: optional("leewaySeconds", seconds, 0),
    issuedAtSkew: optional("issuedAtSkewSeconds", seconds, 60),
  };
}

function issuerOf(where, pool) {
  const given = ISSUERS.filter((name) => pool[name] !== undefined);
  if (given.length !== 1) throw new TypeError(`${where} must have exactly one of ${OR.format(ISSUERS)}`);
  const [name] = given;
  for (const [member, needed] of Object.entries(ISSUER_DETAILS)) {
    if (pool[member] !== undefined && name !== needed) throw new TypeError(`${where}.${member} needs ${needed}`);
  }
  switch (name) {
    case "userPoolId": {
      const region = pool.region === undefined ? undefined : text(`${where}.region`, pool.region);
      return { tag: "user-pool", val: { id: text(`${where}.userPoolId`, pool.userPoolId), region } };
    }
    case "issuer": {
      const issuer = text(`${where}.issuer`, pool.issuer);
      if (pool.albArns === undefined) return { tag: "exactly", val: issuer };
      return { tag: "load-balancers", val: { issuer, arns: names(`${where}.albArns`, pool.albArns) } };
    }
    case "issuers":
      return { tag: "one-of", val: names(`${where}.issuers`, pool.issuers) };
    case "issuerTemplate": {
      const { tenants, anyTenant } = pool;
      if ((tenants === undefined) === (anyTenant === undefined)) {
        throw new TypeError(`${where} must have tenants or anyTenant`);
      }
      const accepted = disabled(where, "anyTenant", anyTenant) ? undefined : names(`${where}.tenants`, tenants);
      return { tag: "tenants", val: { template: text(`${where}.issuerTemplate`, pool.issuerTemplate), tenants: accepted } };
    }
    case "identityPoolId":
      return { tag: "identity-pool", val: choice(`${where}.guests`, pool.guests, GUESTS) };
    default:
      disabled(where, "anyIssuer", pool.anyIssuer);
      return { tag: "unchecked" };
  }
}

function clientOf(where, { identityPoolId, clientIds, anyClient }) {
  if (identityPoolId === undefined) return oneOf(where, "clientIds", clientIds, "anyClient", anyClient);
  if (clientIds !== undefined || anyClient !== undefined) {
    throw new TypeError(`${where} must not have clientIds or anyClient: the client of an identity pool is its ID`);
  }
  return { tag: "one-of", val: [text(`${where}.identityPoolId`, identityPoolId)] };
}

function toKeys(where, keys) {
  if (keys === "local") return { tag: "local" };
  known(where, keys, ["url"]);
  return { tag: "url", val: text(`${where}.url`, keys.url) };
}

function toAlgorithms(where, algorithms) {
  return texts(where, algorithms).map((name) => choice(where, name, ALGORITHMS));
}

function oneOf(where, listName, given, anyName, any) {
  if ((given === undefined) === (any === undefined)) throw new TypeError(`${where} must have ${listName} or ${anyName}`);
  if (given !== undefined) return { tag: "one-of", val: texts(`${where}.${listName}`, given) };
  disabled(where, anyName, any);
  return { tag: "unchecked" };
}

/** Only `true` disables a check. Any other value is an error. */
function disabled(where, name, value) {
  if (value !== undefined && value !== true) throw new TypeError(`${where}.${name} must be true`);
  return value === true;
}

function membership(where, required) {
  if (required === undefined) return { anyOf: undefined, allOf: undefined };
  known(where, required, ["anyOf", "allOf"]);
  const { anyOf, allOf } = required;
  if (anyOf === undefined && allOf === undefined) throw new TypeError(`${where} must have anyOf or allOf`);
  return {
    anyOf: anyOf === undefined ? undefined : names(`${where}.anyOf`, anyOf),
    allOf: allOf === undefined ? undefined : names(`${where}.allOf`, allOf),
  };
}

const TESTS = { any_of: "any-of", all_of: "all-of", none_of: "none-of", prefix: "prefix", suffix: "suffix", exists: "exists" };

const RULE_MEMBERS = [
  "name", "claim", "path", "split", "keys", "each", ...Object.keys(TESTS), "at_least", "at_most", "if_absent",
];

/** Rejects an empty list, which every token would fit. */
function toClaimRules(where, rules) {
  return list(where, rules, isObject, "claim rules").map((rule, index) => toClaimRule(`${where}[${index}]`, rule));
}

function toClaimRule(where, rule) {
  known(where, rule, RULE_MEMBERS);
  const { name, claim, path, if_absent: ifAbsent } = rule;
  if (ifAbsent !== undefined && ifAbsent !== "pass") throw new TypeError(`${where}.if_absent must be pass`);
  return {
    name: name === undefined ? undefined : text(`${where}.name`, name),
    claim: text(`${where}.claim`, claim),
    path: path === undefined ? [] : texts(`${where}.path`, path),
    selector: selectorOf(where, rule),
    test: testOf(where, rule),
    fitsIfAbsent: ifAbsent === "pass",
  };
}

function selectorOf(where, { split, keys, each }) {
  const selectors = [];
  if (split !== undefined) {
    if (!isText(split) || [...split].length !== 1) throw new TypeError(`${where}.split must be one character`);
    selectors.push({ tag: "split", val: split });
  }
  if (keys !== undefined) {
    if (keys !== true) throw new TypeError(`${where}.keys must be true`);
    selectors.push({ tag: "keys" });
  }
  if (each !== undefined) selectors.push({ tag: "each", val: names(`${where}.each`, each) });
  if (selectors.length > 1) throw new TypeError(`${where} must have at most one of split, keys and each`);
  return selectors[0] ?? { tag: "value" };
}

function testOf(where, rule) {
  const tests = Object.keys(TESTS).filter((name) => rule[name] !== undefined);
  const { at_least: atLeast, at_most: atMost } = rule;
  const hasRange = atLeast !== undefined || atMost !== undefined;
  if (tests.length + Number(hasRange) !== 1) {
    throw new TypeError(`${where} must have one of ${Object.keys(TESTS).join(", ")}, and at_least or at_most`);
  }
  if (hasRange) {
    const bound = (at, number) => (number === undefined ? undefined : toNumber(`${where}.${at}`, number));
    return { tag: "range", val: { atLeast: bound("at_least", atLeast), atMost: bound("at_most", atMost) } };
  }
  const [name] = tests;
  return { tag: TESTS[name], val: toTested(name, `${where}.${name}`, rule[name]) };
}

function toTested(name, where, tested) {
  if (name === "exists") {
    if (typeof tested !== "boolean") throw new TypeError(`${where} must be true or false`);
    return tested;
  }
  if (name === "prefix" || name === "suffix") return names(where, tested);
  const isScalar = (value) => ["string", "number", "boolean"].includes(typeof value);
  return list(where, tested, isScalar, "strings, numbers and booleans").map((value) => {
    if (typeof value === "boolean") return { tag: "boolean", val: value };
    return isText(value) ? { tag: "text", val: value } : { tag: "number", val: toNumber(where, value) };
  });
}

/** The contract has numbers as text, in the syntax of JSON. */
function toNumber(where, number) {
  if (typeof number !== "number" || !(Math.abs(number) < 2 ** 53)) {
    throw new TypeError(`${where} must have numbers between -2^53 and 2^53`);
  }
  return JSON.stringify(number);
}

/** Rejects an empty list, which would require nothing, or something that no token has. */
function names(where, given) {
  return list(where, given, (name) => isText(name) && name !== "", "names");
}

/** Rejects a string, whose characters would count as the elements. */
function list(where, given, isElement, elements) {
  if (!Array.isArray(given) || given.length === 0 || !given.every(isElement)) {
    throw new TypeError(`${where} must be a list of ${elements}, and not empty`);
  }
  return given;
}

/** Accepts an empty list: the component decides about it. */
function texts(where, given) {
  if (!Array.isArray(given) || !given.every(isText)) throw new TypeError(`${where} must be a list of strings`);
  return given;
}

function text(where, given) {
  if (!isText(given)) throw new TypeError(`${where} must be a string`);
  return given;
}

function seconds(where, given) {
  if (!Number.isInteger(given) || given < 0 || given >= 2 ** 32) {
    throw new TypeError(`${where} must be a whole number of seconds`);
  }
  return given;
}

function choice(where, given, choices) {
  if (!isText(given) || !Object.hasOwn(choices, given)) {
    throw new TypeError(`${where} must be ${OR.format(Object.keys(choices))}`);
  }
  return choices[given];
}

function isText(given) {
  return typeof given === "string";
}

function isObject(given) {
  return typeof given === "object" && given !== null && !Array.isArray(given);
}

function withDefaults(where, defaults, given = {}) {
  known(where, given, Object.keys(defaults));
  return { ...defaults, ...given };
}

/** Rejects an unknown member, so that no typing error is ignored. */
export function known(where, given, names) {
  if (!isObject(given)) throw new TypeError(`${where} must be an object`);
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) throw new TypeError(`${where} has an unknown member ${name}`);
  }
}
