// `node page.mjs URL EXECUTABLE LIBRARIES WORDS PICTURES`: uses the page like a person, and checks its network requests.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { withPage } from "./launch.mjs";

await withPage(async (page, url, [words, pictures]) => {
  const { now, poolId, clientId, issuer, subject, jwks, otherIssuer, otherJwks, good, expired, tampered, other } = JSON.parse(
    await readFile(words, "utf8"),
  );
  const [requests, messages] = [[], []];
  page.on("request", (request) => requests.push(request));
  page.on("console", (message) => messages.push(message.text()));
  page.on("pageerror", (error) => messages.push(String(error)));
  await page.clock.setFixedTime(now * 1000);
  let isReachable = true;
  const cors = { "access-control-allow-origin": "*" };
  await page.route(/^https:/, (route) =>
    isReachable ? route.fulfill({ contentType: "application/json", headers: cors, body: jwks }) : route.abort(),
  );

  const verdict = page.getByRole("status");
  const token = page.getByLabel("Token", { exact: true });
  const says = async (text) => {
    await verdict.filter({ hasText: text }).waitFor().catch(async () => {
      assert.fail(`expected "${text}", came "${await verdict.textContent()}"; the console has ${JSON.stringify(messages)}`);
    });
  };
  const picture = (name) => pictures && page.screenshot({ path: join(pictures, `${name}.png`) });

  await page.goto(url);
  await says("The token was not verified yet.");
  await page.getByRole("button", { name: "Verify" }).click();
  await says("The token was not verified yet."); // The browser asks for the missing input.

  // The inputs are typed and the button is clicked.
  await page.getByLabel("User pool ID").fill(poolId);
  await page.getByLabel("App client IDs").fill(clientId);
  // Each key takes a while on a busy machine, so only the end is typed.
  await token.fill(good.slice(0, -20));
  await token.press("Control+End");
  await token.pressSequentially(good.slice(-20));
  await page.getByRole("button", { name: "Verify" }).click();
  await says("Signature, issuer and time claims are valid. So are token use and app client.");
  await page.getByRole("row", { name: `Subject ${subject}` }).waitFor();
  await page.getByRole("row", { name: `Issuer ${issuer}` }).waitFor();
  await page.getByText("The whole payload").click();
  assert.equal(JSON.parse(await page.getByLabel("Payload as JSON").textContent()).sub, subject);
  await picture("verified");
  const fetched = requests.filter((request) => request.url().startsWith("https:")).map((request) => request.url());
  assert.deepEqual(fetched, [`${issuer}/.well-known/jwks.json`]);

  // With the keyboard only: from the token field to the button, and by the shortcut.
  await token.fill(expired);
  await says("The token was not verified yet.");
  await token.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Verify");
  await page.keyboard.press("Enter");
  await says("Rejected: expired");
  // The claims of a rejected token are not shown as if they were verified. The explanation says what is wrong, and with what.
  assert.equal(await page.locator("#details").isVisible(), false);
  await page.getByRole("row", { name: /^expiry expired exp = \d+$/ }).waitFor();
  await page.getByRole("row", { name: /^signature passed/ }).waitFor();
  await page.getByText("Refresh the token, or sign in again.").waitFor();
  await page.getByText("The decoded token").click();
  assert.equal(await page.locator("#content-hint").textContent(), "The signature was verified.");
  assert.equal(JSON.parse(await page.getByLabel("Decoded claims").textContent()).sub, subject);
  await page.locator("#times").getByRole("row", { name: /^exp .* ago$/ }).waitFor();
  await picture("refused");
  await token.fill(tampered);
  await token.press("Control+Enter");
  await says("Rejected: signature-invalid");
  await page.getByText("NOT VERIFIED: anyone can create a token with this content.").waitFor();
  await page.getByLabel("Token use").selectOption("id");
  await token.fill(good);
  await token.press("Control+Enter");
  await says("Rejected: token-use-mismatch");
  await page.getByLabel("App client IDs").fill("another");
  await page.getByLabel("Token use").selectOption("access");
  await token.press("Control+Enter");
  await says("Rejected: client-mismatch");
  await page.getByRole("row", { name: `client client-mismatch client_id = "${clientId}" "another"` }).waitFor();

  // Without keys, there is no verdict.
  isReachable = false;
  await token.press("Control+Enter");
  await says("Not verified");
  await says("keys-unavailable");

  // Pasted keys of the pool and of another issuer.
  await page.getByLabel("App client IDs").fill("");
  await page.getByLabel("Paste keys").check();
  await page.getByLabel("JWK Set").fill(jwks);
  await token.press("Control+Enter");
  await says("Not checked: the app client.");
  await page.getByLabel("Another issuer").check();
  await page.getByLabel("Issuer", { exact: true }).fill(otherIssuer);
  await page.getByLabel("JWK Set").fill(otherJwks);
  await page.getByLabel("Token use").selectOption("unchecked");
  await token.fill(other);
  await token.press("Control+Enter");
  await says("Not checked: the app client and the token use.");

  // Settings in JSON are added, and replace those of the form. A disabled check is named.
  const more = page.getByLabel("More settings (JSON)");
  const saysWith = async (settings, text) => {
    await more.fill(settings);
    await token.press("Control+Enter");
    await says(text);
  };
  await saysWith('{"claims": [{"claim": "aud", "any_of": ["another"]}]}', "Rejected: claim-mismatch");
  await says("aud does not fit.");
  await saysWith('{"claims": [{"claim": "gone", "any_of": ["x"]}]}', "gone is absent.");
  await saysWith('{"claims": [{"claim": "aud", "anyOf": ["any"]}]}', "unknown member anyOf");
  await saysWith('{"claims"', "More settings must be a JSON object.");
  await saysWith('["any"]', "More settings must be a JSON object.");
  await saysWith('{"anySubject": true, "anyClient": true}', "Not checked: the app client, the subject, and the token use.");
  await page.getByLabel("Named in JSON, below").check();
  await saysWith(JSON.stringify({ issuers: ["https://other.example", otherIssuer], algorithms: ["ES256"] }), "Signature, issuer and time claims");
  await saysWith('{"anyIssuer": true, "algorithms": ["ES256"]}', "Signature and time claims are valid. Not checked: the issuer");
  await page.getByLabel("Another issuer").check();
  await more.fill("");
  await page.emulateMedia({ colorScheme: "dark" });
  await picture("dark");
  await page.getByLabel("JWK Set").fill("no keys");
  await token.press("Control+Enter");
  await says("the key set was rejected: malformed");
  await page.setViewportSize({ width: 390, height: 1100 });
  await picture("dark-narrow");

  // Every input has an accessible name.
  for (const field of await page.locator("input, textarea, select").all()) {
    assert.ok(await field.evaluate((element) => element.labels.length > 0), "a field without a label");
  }

  await page.getByRole("button", { name: "Clear everything" }).click();
  await says("The token was not verified yet.");
  assert.equal(await token.inputValue(), "");
  assert.equal(await page.locator("#explanation").isVisible(), false);
  assert.equal(await page.locator("#explanation").textContent().then((text) => text.includes(subject)), false);

  // The page does not restore a token after a reload.
  await token.fill(good);
  await page.goto("about:blank");
  await page.goBack();
  await says("The token was not verified yet.");
  assert.equal(await token.inputValue(), "");
  const stored = await page.evaluate(async () => [
    localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, (await caches.keys()).length,
  ]);
  assert.deepEqual(stored, [0, 0, "", 0, 0]);
  assert.ok(!page.url().includes("?"));

  const parts = [good, expired, tampered, other].flatMap((token) => token.split("."));
  for (const request of requests) {
    const sent = `${request.url()} ${JSON.stringify(await request.allHeaders())} ${request.postData() ?? ""}`;
    assert.equal(request.method(), "GET");
    assert.ok(!parts.some((part) => sent.includes(part)), "a request carries a part of a token");
  }
  assert.ok(!messages.some((message) => parts.some((part) => message.includes(part))), "a part of a token was logged");
  // The console contains only Chromium's message about the unreachable key URL: no error, and no violation of the content security policy.
  assert.deepEqual(messages.filter((message) => !message.includes("net::ERR_FAILED")), []);

  // The content security policy blocks requests to other origins.
  const stopped = page.waitForEvent("console", (message) => message.text().includes("Content Security Policy"));
  assert.equal(await page.evaluate(() => fetch("http://attacker.invalid/").then(() => "sent", () => "stopped")), "stopped");
  await stopped;
});
