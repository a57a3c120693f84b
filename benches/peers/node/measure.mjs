// Measures a full verification in Node.js. Prints one JSON object per library to standard output.
//
//   node measure.mjs [--only aws-jwt-verify|jose] TOKENS_FILE
//
// Tokens are never printed. An error message contains only the error's class, because its text may quote claims.

import { readFileSync } from "node:fs";
import { CognitoJwtVerifier } from "aws-jwt-verify";
import { importJWK, jwtVerify } from "jose";

const WARM_UP_MS = 300;
const SLICES = 21;
const TOKENS_A_SLICE = 200;

/** Each library: how it is set up (not timed), and what it does with a slice of tokens (timed). */
const LIBRARIES = {
  // The issuer (from the pool ID), the client ID and the token use are checked. The key is looked up by its kid among the cached keys.
  "aws-jwt-verify": {
    name: "aws-jwt-verify verifySync",
    prepare({ user_pool_id: userPoolId, client_id: clientId, jwks }) {
      const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse: "access" });
      verifier.cacheJwks(jwks);
      return (tokens) => {
        for (const token of tokens) verifier.verifySync(token);
      };
    },
  },
  // The issuer and the expiry are checked; typ, token use and client ID are not. The key is imported once with importJWK, so no
  // kid is looked up. jose verifies asynchronously only (WebCrypto, on libuv's threads). Tokens are verified one after another,
  // which measures the latency of a request that waits for its verdict.
  jose: {
    name: "jose jwtVerify",
    async prepare({ issuer, jwks }) {
      const key = await importJWK(jwks.keys[0]);
      const options = { issuer, algorithms: ["RS256"], requiredClaims: ["exp"] };
      return async (tokens) => {
        for (const token of tokens) await jwtVerify(token, key, options);
      };
    },
  },
};

class Failure extends Error {}

function readArguments(words) {
  const [only, id, path, ...more] = words[0] === "--only" ? words : [undefined, undefined, ...words];
  if (!path || more.length > 0 || (only && !Object.hasOwn(LIBRARIES, id))) {
    console.error(`usage: node measure.mjs [--only ${Object.keys(LIBRARIES).join("|")}] TOKENS_FILE`);
    process.exit(2);
  }
  return [path, only ? [id] : Object.keys(LIBRARIES)];
}

/** The parser's own message quotes the text it stumbled over, so it is not passed on. */
function readTokensFile(path) {
  let file;
  try {
    file = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new Failure(`${path} can't be read as a tokens file (${error.code ?? error.name})`);
  }
  if (!Array.isArray(file?.tokens) || file.tokens.length === 0 || !Array.isArray(file.jwks?.keys)) {
    throw new Failure(`${path} is not a tokens file: "tokens" or "jwks" is missing`);
  }
  return file;
}

/** Microseconds a token, for each slice: the tokens in rotation, after a warm-up that has seen each of them. */
async function measure(verifySlice, tokens) {
  let next = 0;
  const slice = async () => {
    const turn = Array.from({ length: TOKENS_A_SLICE }, (_, index) => tokens[(next + index) % tokens.length]);
    next += TOKENS_A_SLICE;
    const started = process.hrtime.bigint();
    // Awaited only if the result is a promise, so that a synchronous library does not pay for a turn of the event loop.
    const pending = verifySlice(turn);
    if (pending) await pending;
    return Number(process.hrtime.bigint() - started) / 1e3 / TOKENS_A_SLICE;
  };
  const warm = performance.now() + WARM_UP_MS;
  while (next < tokens.length || performance.now() < warm) await slice();
  const us = [];
  while (us.length < SLICES) us.push(await slice());
  return us;
}

const versionOf = (id) =>
  JSON.parse(readFileSync(new URL(`node_modules/${id}/package.json`, import.meta.url), "utf8")).version;

async function report(id, file) {
  const { name, prepare } = LIBRARIES[id];
  try {
    const us = await measure(await prepare(file), file.tokens);
    console.log(JSON.stringify({ id, name, version: versionOf(id), runtime: `Node ${process.version}`, us }));
  } catch (error) {
    throw new Failure(`${id}: a token was not verified (${error?.code ?? error?.constructor?.name})`);
  }
}

try {
  const [path, ids] = readArguments(process.argv.slice(2));
  const file = readTokensFile(path);
  for (const id of ids) await report(id, file);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
