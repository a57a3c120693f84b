// The corpus through the JavaScript verifier: what `createVerifier` and `Denial` are depends on the host.

/** `cases` in the form of tests/hosts/cases.rs; the verdicts in their order. */
export async function judgeAll(cases, createVerifier, Denial) {
  const verdicts = [];
  for (const { config, seeds, now, token } of cases) {
    const verifier = await createVerifier(inCamelCase(config), { clock: () => BigInt(now) });
    for (const { issuer, jwks, fetched_at } of seeds) {
      await verifier.loadKeySet(issuer, jwks, BigInt(fetched_at));
    }
    verdicts.push(await judge(verifier, token, Denial));
  }
  return verdicts;
}

async function judge(verifier, token, Denial) {
  try {
    const { payload } = await verifier.verify(token);
    if (typeof payload !== "object") throw new Error("verified, and no claims");
    return {};
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    return { reason: error.reason, status: error.status };
  }
}

/** The names of members, and the values that are names. */
function inCamelCase(value) {
  if (Array.isArray(value)) return value.map(inCamelCase);
  if (typeof value !== "object" || value === null) return value === "access_or_id" ? "accessOrId" : value;
  const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [camel(name), inCamelCase(inner)]));
}
