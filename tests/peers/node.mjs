// `node node.mjs SHAPES`: verifies every shape with jose and with aws-jwt-verify, configured as their documentation says for the same policy.
// Prints {"jose": [...], "aws-jwt-verify": [...]}: for each shape null if the token is accepted, or the name of the error.

import { readFileSync } from "node:fs";
import { CognitoJwtVerifier, JwtVerifier } from "aws-jwt-verify";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { createLocalJWKSet, jwtVerify } from "jose";

/** jose: `jwtVerify` with a key set, and every option that the policy has. */
async function jose({ jwks, token, now, issuers, audiences, algorithms, types }) {
  // Both claims of the time and the subject are required, because the policy requires them.
  const options = { issuer: issuers, algorithms, requiredClaims: ["exp", "sub"], currentDate: new Date(now * 1000) };
  if (audiences) options.audience = audiences;
  if (types.length === 1) options.typ = types[0];
  await jwtVerify(token, createLocalJWKSet(JSON.parse(jwks)), options);
}

/** aws-jwt-verify: its verifier for Cognito, or that for other issuers. Both fetch the key set through their cache. */
async function awsJwtVerify({ jwks, token, now, issuers, audiences, scopes, userPoolId, tokenUse, clientIds }) {
  const jwksCache = new SimpleJwksCache({ fetcher: { fetch: async () => new TextEncoder().encode(jwks).buffer } });
  const scope = scopes ?? undefined;
  const verifier = userPoolId
    ? CognitoJwtVerifier.create({ userPoolId, tokenUse, clientId: clientIds, scope }, { jwksCache })
    : JwtVerifier.create(
        issuers.map((issuer) => ({ issuer, audience: audiences, jwksUri: "https://keys.example/jwks.json", scope })),
        { jwksCache },
      );
  // The library reads the clock.
  const clock = Date.now;
  Date.now = () => now * 1000;
  try {
    await verifier.verify(token);
  } finally {
    Date.now = clock;
  }
}

async function verdicts(shapes, verify) {
  const verdicts = [];
  for (const shape of shapes) {
    verdicts.push(await verify(shape).then(() => null, (error) => error.code ?? error.constructor.name));
  }
  return verdicts;
}

const shapes = JSON.parse(readFileSync(process.argv[2], "utf8"));
console.log(JSON.stringify({
  jose: await verdicts(shapes, jose),
  "aws-jwt-verify": await verdicts(shapes, awsJwtVerify),
}));
