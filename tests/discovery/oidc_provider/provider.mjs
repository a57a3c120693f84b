// An OpenID provider on a loopback port that the system chooses. It prints its issuer. It ends with the test process, which holds the other
// end of its standard input.
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

// The packages are in another folder than this file.
const resolve = createRequire(pathToFileURL(`${process.argv[2]}/package.json`)).resolve;
const { Provider } = await import(pathToFileURL(resolve('oidc-provider')));

process.stdin.resume();
process.stdin.on('end', () => process.exit());

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://localhost:${server.address().port}`;

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), alg: 'RS256', use: 'sig' };
}

function provider(jwksPath) {
  const made = new Provider(issuer, {
    clients: [
      {
        client_id: 'web', client_secret: 'a-secret-of-the-test-for-web', redirect_uris: ['https://app.example/callback'],
        grant_types: ['authorization_code'], response_types: ['code'],
      },
      {
        client_id: 'machine', client_secret: 'a-secret-of-the-test-for-machine', redirect_uris: [],
        grant_types: ['client_credentials'], response_types: [],
      },
    ],
    cookies: { keys: [randomUUID()] },
    jwks: { keys: [signingKey()] },
    routes: { jwks: jwksPath },
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (context, resource) => ({
          scope: 'orders:read', audience: resource, accessTokenTTL: 3600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  return made.callback();
}

let serve = provider('/jwks');
server.on('request', (request, response) => {
  // For the test: the provider starts again with another key, and publishes it at this path.
  const replaced = /^\/replace-keys\?path=([/a-z0-9]+)$/.exec(request.url);
  if (replaced) {
    serve = provider(replaced[1]);
    return response.end('replaced');
  }
  return serve(request, response);
});
console.log(`issuer ${issuer}`);
