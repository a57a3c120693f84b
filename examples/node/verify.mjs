// Verifies a token from standard input: `node verify.mjs --user-pool-id ID --client-id ID --token-use access < token.txt`.
// Exit codes: 0 valid, 1 rejected, 2 wrong usage, 3 keys unavailable (the token was not verified).

import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { createVerifier, Denial } from "./poolgate.mjs";

const string = { type: "string" };
try {
  const { values } = parseArgs({
    options: {
      "user-pool-id": string, issuer: string, "jwks-url": string, "token-use": string, at: string,
      "client-id": { ...string, multiple: true }, group: { ...string, multiple: true },
    },
  });
  const verifier = await createVerifier(
    {
      pools: [{
        userPoolId: values["user-pool-id"],
        issuer: values.issuer,
        keys: values["jwks-url"] && { url: values["jwks-url"] },
        tokenUse: values["token-use"],
        clientIds: values["client-id"],
        groups: values.group && { anyOf: values.group },
      }],
    },
    values.at === undefined ? {} : { clock: () => Number(values.at) },
  );
  // From standard input, because every process can read the command line of another.
  const claims = await verifier.verify((await text(process.stdin)).trim());
  console.log(JSON.stringify({ verdict: "allow", claims }));
} catch (error) {
  if (error instanceof Denial) {
    console.log(JSON.stringify({ verdict: "deny", reason: error.reason, status: error.status }));
    process.exitCode = error.status === 503 ? 3 : 1;
  } else {
    console.error(error.message);
    process.exitCode = 2;
  }
}
