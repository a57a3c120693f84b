// Verifies the corpus with the JavaScript verifier. Node.js and the browser pass their own `createVerifier` and `Denial`.

/** Returns the verdicts in the order of `cases`, whose format is that of tests/hosts/cases.rs. */
export async function verdictsOf(cases, createVerifier, Denial) {
  const verdicts = [];
  for (const { config, seeds, now, token } of cases) {
    const verifier = await createVerifier(inCamelCase(config), { clock: () => BigInt(now) });
    for (const { issuer, jwks, fetched_at } of seeds) {
      await verifier.loadKeySet(issuer, jwks, BigInt(fetched_at));
    }
    verdicts.push(await verdict(verifier, token, Denial));
  }
  return verdicts;
}

async function verdict(verifier, token, Denial) {
  try {
    const { payload } = await verifier.verify(token);
    if (typeof payload !== "object") throw new Error("verified without claims");
    return {};
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    return { reason: error.reason, status: error.status };
  }
}

/** Converts the names of members, and the values that are names, to camel case. Claim rules stay as they are. */
function inCamelCase(value) {
  if (Array.isArray(value)) return value.map(inCamelCase);
  if (typeof value !== "object" || value === null) return value === "access_or_id" ? "accessOrId" : value;
  const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const converted = (name, inner) => [camel(name), name === "claims" ? inner : inCamelCase(inner)];
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => converted(name, inner)));
}
