// `node node.mjs SHAPES`: verifies every shape with jose and with aws-jwt-verify, configured as their documentation says for the same policy.
// Prints {"jose": [...], "aws-jwt-verify": [...]}: for each shape null if the token is accepted, or the name of the error.

import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { AlbJwtVerifier, CognitoJwtVerifier, JwtVerifier } from "aws-jwt-verify";
import { AlbJwksCache } from "aws-jwt-verify/alb-cache";
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

/** The verifiers of aws-jwt-verify: for Cognito, for load balancers, and for other issuers. They fetch keys through their caches. */
function awsVerifier({ jwks, issuers, audiences, scopes, userPoolId, tokenUse, clientIds, albArns }) {
  const fetching = (text) => ({ fetcher: { fetch: async () => new TextEncoder().encode(text).buffer } });
  const scope = scopes ?? undefined;
  if (albArns) {
    const [key] = JSON.parse(jwks).keys;
    const pem = createPublicKey({ key, format: "jwk" }).export({ type: "spki", format: "pem" });
    const properties = { issuer: issuers[0], albArn: albArns, clientId: clientIds };
    return AlbJwtVerifier.create(properties, { jwksCache: new AlbJwksCache(fetching(pem)) });
  }
  const jwksCache = new SimpleJwksCache(fetching(jwks));
  if (userPoolId) return CognitoJwtVerifier.create({ userPoolId, tokenUse, clientId: clientIds, scope }, { jwksCache });
  const jwksUri = "https://keys.example/jwks.json";
  return JwtVerifier.create(issuers.map((issuer) => ({ issuer, audience: audiences, jwksUri, scope })), { jwksCache });
}

async function awsJwtVerify(shape) {
  const verifier = awsVerifier(shape);
  // The library reads the clock.
  const clock = Date.now;
  Date.now = () => shape.now * 1000;
  try {
    await verifier.verify(shape.token);
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
