//! Measures aws-jwt-verify with this machine's Node.js, if both are installed.

use super::stage::{CLIENT, POOL, Stage};
use serde_json::{Value, json};
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Reads keys and tokens from standard input, warms up, and prints the microseconds per token of each round.
const SCRIPT: &str = r#"
const { CognitoJwtVerifier } = require("aws-jwt-verify");
const { readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
// package.json is not exported, so it is searched in the folders above the loaded file.
const version = () => {
  for (let folder = dirname(require.resolve("aws-jwt-verify")); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (name === "aws-jwt-verify") return version;
    } catch {}
  }
  return null;
};
let text = "";
process.stdin.on("data", (chunk) => (text += chunk));
process.stdin.on("end", () => {
  const { pool, client, jwks, tokens, slices, slice } = JSON.parse(text);
  const verifier = CognitoJwtVerifier.create({ userPoolId: pool, tokenUse: "access", clientId: client });
  verifier.cacheJwks(jwks);
  let next = 0;
  const run = () => { for (let i = 0; i < slice; i++) verifier.verifySync(tokens[next++ % tokens.length]); };
  const until = Date.now() + 300;
  while (Date.now() < until) run();
  const us = [];
  for (let i = 0; i < slices; i++) {
    const begun = process.hrtime.bigint();
    run();
    us.push(Number(process.hrtime.bigint() - begun) / 1000 / slice);
  }
  console.log(JSON.stringify({ us, version: version(), node: process.version }));
});
"#;

/// The microseconds per token of each round, and the versions. `Err` says why nothing was measured.
pub fn measure(stage: &Stage, tokens: &[String], slices: usize, slice: usize) -> Result<(Vec<f64>, String), String> {
    let keys = json!({ "keys": [stage.signer.jwk()] });
    let input =
        json!({ "pool": POOL, "client": CLIENT, "jwks": keys, "tokens": tokens, "slices": slices, "slice": slice });
    let mut node = Command::new("node");
    node.args(["--eval", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = node.spawn().map_err(|_| "Node.js was not found")?;
    if let Some(mut stdin) = child.stdin.take() {
        // Fails if the script ended because aws-jwt-verify was not found.
        let _ = stdin.write_all(input.to_string().as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err("`node` did not find aws-jwt-verify; run npm install aws-jwt-verify, or set NODE_PATH".into());
    }
    let report: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let us = report["us"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let text = |name: &str| report[name].as_str().unwrap_or("(unknown version)").to_owned();
    Ok((us, format!("aws-jwt-verify {}, Node {}", text("version"), text("node"))))
}
