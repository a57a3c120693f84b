//! The command line: output, exit codes, files and pipes.

#[path = "cli/code_cache.rs"]
mod code_cache;
#[path = "cli/config.rs"]
mod config;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/issuers.rs"]
mod issuers;
#[path = "cli/pipes.rs"]
mod pipes;

use poolgate_core::Algorithm;
use poolgate_tests::{
    keys::{OTHER_RSA_2048, P256, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID},
};
use serde_json::{Value, json};
use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;

/// RFC 7515 appendix A.2, whose header has no `kid`.
const RFC_7515_A2: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC_7515_A2_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

/// A folder with the key set of the pool, in which the command runs.
struct Workbench(TempDir);

impl Workbench {
    fn new() -> Self {
        let bench = Self(TempDir::new().expect("a folder for temporary files"));
        bench.write("jwks.json", jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]));
        bench
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("the file is written");
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_poolgate"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        for name in ["COGNITO_USER_POOL_ID", "COGNITO_REGION", "COGNITO_CLIENT_ID", "RUST_LOG", "NO_COLOR"] {
            command.env_remove(name);
        }
        command.env("POOLGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().expect("the command runs"))
    }

    fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Run {
        let path = self.write("input", input);
        let mut command = self.command(arguments);
        Run::of(command.stdin(fs::File::open(path).expect("the input")).output().expect("the command runs"))
    }

    /// Runs `verify` for access tokens of the pool, at the time at which the tokens were issued.
    fn verify(&self, more: &[&str]) -> Run {
        self.run(&[&VERIFY, more].concat())
    }
}

const VERIFY: [&str; 11] = [
    "verify",
    "--pool-id",
    POOL_ID,
    "--client-id",
    CLIENT_ID,
    "--token-use",
    "access",
    "--jwks",
    "jwks.json",
    "--at",
    "1700000000",
];

#[derive(Debug)]
struct Run {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Run {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("the command was not killed"),
            stdout: String::from_utf8(output.stdout).expect("the output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("the errors are UTF-8"),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("one JSON object per line")).collect()
    }
}

fn valid_token() -> String {
    Draft::access(&RSA_2048).compact()
}

fn expired_token() -> String {
    Draft::access(&RSA_2048).claim("exp", NOW).compact()
}

#[test]
fn verify_exits_with_0_for_a_valid_token() {
    let run = Workbench::new().verify(&["--json", &valid_token()]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let claims: Value = serde_json::from_slice(&Draft::access(&RSA_2048).payload_bytes()).expect("a payload");
    assert_eq!(run.json(), json!({ "verdict": "allow", "claims": claims }));
}

#[test]
fn verify_exits_with_1_and_prints_a_reason_code_for_an_invalid_token() {
    let run = Workbench::new().verify(&["--json", &expired_token()]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(run.stdout, "{\"verdict\":\"deny\",\"reason\":\"expired\",\"status\":401}\n");
}

#[test]
fn verify_prints_text_without_colours_to_a_pipe() {
    let bench = Workbench::new();
    let allowed = bench.verify(&[&valid_token()]);
    assert!(allowed.stdout.starts_with("allow\n") && allowed.stdout.contains(ISSUER), "{allowed:?}");
    let denied = bench.verify(&[&expired_token()]);
    assert!(denied.stdout.starts_with("deny  expired (status 401)\n"), "{denied:?}");
    assert!(!denied.stdout.contains('\u{1b}') && !allowed.stdout.contains('\u{1b}'));
}

#[test]
fn verify_reads_the_token_from_standard_input() {
    let bench = Workbench::new();
    for end in ["", "\n", "\r\n"] {
        let run = bench.run_with_input(&[&VERIFY[..], &["-"]].concat(), format!("{}{end}", valid_token()).as_bytes());
        assert_eq!(run.code, 0, "{end:?}: {run:?}");
    }
    let two = bench.run_with_input(&[&VERIFY[..], &["-"]].concat(), format!("{}\nmore", valid_token()).as_bytes());
    assert!(two.code == 2 && two.stderr.contains("--batch"), "{two:?}");
    for spaced in [format!(" {}", valid_token()), format!("{}\n", valid_token()), format!("{} ", valid_token())] {
        assert_eq!(bench.verify(&[&spaced]).code, 1, "an argument is verified as it is");
    }
    let nothing = bench.run_with_input(&[&VERIFY[..], &["--json", "-"]].concat(), b"");
    assert_eq!((nothing.code, nothing.json()["reason"].as_str()), (1, Some("token-empty")));
}

#[test]
fn verify_requires_groups_and_scopes() {
    let bench = Workbench::new();
    let draft = Draft::access(&RSA_2048).claim("cognito:groups", r#"["a","b"]"#).claim("scope", r#""r w""#);
    let token = draft.compact();
    for (more, code, reason) in [
        (&["--group", "a"][..], 0, None),
        (&["--group", "x", "--group", "b"], 0, None),
        (&["--group", "a,b", "--all-groups"], 0, None),
        (&["--group", "a", "--group", "x", "--all-groups"], 1, Some("group-missing")),
        (&["--group", "x"], 1, Some("group-missing")),
        (&["--scope", "r"], 0, None),
        (&["--scope", "r", "--scope", "x", "--all-scopes"], 1, Some("scope-missing")),
    ] {
        let run = bench.verify(&[more, &["--json", &token]].concat());
        assert_eq!(run.code, code, "{more:?}: {run:?}");
        if let Some(reason) = reason {
            assert_eq!(run.json(), json!({ "verdict": "deny", "reason": reason, "status": 403 }), "{more:?}");
        }
    }
}

#[test]
fn verify_prints_a_hint_about_text_that_was_pasted_with_a_token() {
    let bench = Workbench::new();
    let token = valid_token();
    for (pasted, word) in [
        (format!("Bearer {token}"), "Bearer"),
        (format!("bearer  {token}"), "Bearer"),
        (format!("Authorization: Bearer {token}"), "Bearer"),
        (format!("\"{token}\""), "quotation marks"),
        (format!("'{token}"), "quotation marks"),
        (format!("{token}`"), "quotation marks"),
        (token.replacen('.', ".\n", 1), "within"),
        (format!(" {token}"), "around"),
    ] {
        let run = bench.verify(&["--json", &pasted]);
        let hint = run.json()["hint"].as_str().unwrap_or_default().to_owned();
        assert!(run.code == 1 && hint.contains(word), "{word}: {run:?}");
        let text = bench.verify(&[&pasted]);
        assert!(text.stdout.contains(&format!("  hint: {hint}\n")), "{word}: {text:?}");
        assert!(!text.stdout.contains(&token) && !run.stdout.contains(&token), "the output contains the token");
    }
    for plain in [expired_token(), "a.b.c".into(), String::new()] {
        assert_eq!(bench.verify(&["--json", &plain]).json().get("hint"), None);
    }
    let run = bench.run(&["jws", "--jwks", "jwks.json", "--json", &format!("Bearer {token}")]);
    assert!(run.json()["hint"].as_str().is_some_and(|hint| hint.contains("Bearer")), "{run:?}");
    let run = bench.run(&["inspect", &format!("Bearer {token}")]);
    assert!(run.code == 1 && run.stderr.contains("hint: ") && run.stderr.contains("Bearer"), "{run:?}");
}

#[test]
fn verify_prints_a_hint_about_an_invalid_claim_and_an_issuer_that_differs_by_a_slash() {
    let bench = Workbench::new();
    for (claim, value, reason, hint) in [
        ("auth_time", "\"1\"", "claim-invalid", "`auth_time`"),
        ("origin_jti", "1", "claim-invalid", "`origin_jti`"),
        ("iss", &format!("\"{ISSUER}/\""), "issuer-unknown", "`/` at the end"),
    ] {
        let token = Draft::access(&RSA_2048).claim(claim, value).compact();
        let run = bench.verify(&["--json", &token]);
        assert_eq!(run.json()["reason"], reason, "{run:?}");
        assert!(run.json()["hint"].as_str().is_some_and(|text| text.contains(hint)), "{run:?}");
        assert!(bench.verify(&[&token]).stdout.contains(hint), "{claim}");
    }
}

#[test]
fn verify_checks_resource_subject_and_binding_unless_the_check_is_disabled() {
    let bench = Workbench::new();
    let other_use = ["--any-client", "--token-use", "unchecked", "--jwks", "jwks.json", "--at", "1700000000", "--json"];
    let pool = ["verify", "--pool-id", POOL_ID];
    let verify = |more: &[&str], draft: Draft| {
        let run = bench.run(&[&pool[..], &other_use, more, &[&draft.compact()]].concat());
        run.json()["reason"].as_str().unwrap_or("allowed").to_owned()
    };
    let access = || Draft::access(&RSA_2048);
    let api = ["--resource", "https://my-api"];
    assert_eq!(verify(&api, access().claim("aud", "\"https://other-api\"")), "resource-mismatch");
    assert_eq!(verify(&api, access()), "resource-missing");
    assert_eq!(verify(&api, access().claim("aud", "[\"https://my-api\"]")), "allowed");
    assert_eq!(verify(&[], access().without_claim("sub")), "subject-missing");
    assert_eq!(verify(&["--any-subject"], access().without_claim("sub")), "allowed");
    assert_eq!(verify(&[], access().claim("cnf", "{}")), "sender-constrained");
    assert_eq!(verify(&["--ignore-confirmation"], access().claim("cnf", "{}")), "allowed");
}

#[test]
fn verify_compares_the_issuer_exactly() {
    let bench = Workbench::new();
    let token = Draft::access(&RSA_2048).claim("iss", "\"http://127.0.0.1:9229/local_abc\"").compact();
    let more = ["--client-id", "other", "--client-id", CLIENT_ID, "--jwks", "jwks.json", "--at", "1700000000", &token];
    let issuer = ["verify", "--token-use", "any", "--issuer", "http://127.0.0.1:9229/local_abc"];
    assert_eq!(bench.run(&[&issuer[..], &more].concat()).code, 0);
    let other = ["verify", "--token-use", "any", "--issuer", "http://127.0.0.1:9229/local_xyz"];
    assert_eq!(bench.run(&[&other[..], &more].concat()).code, 1);
}

#[test]
fn verify_accepts_the_algorithms_of_the_keys_of_an_issuer_and_only_rs256_of_a_user_pool() {
    let bench = Workbench::new();
    bench.write("ec.json", jwks(&[P256.jwk_for(Algorithm::Es256, KEY_ID)]));
    let token = Draft::access(&P256).signed_with(&P256, Algorithm::Es256).compact();
    let more = ["--client-id", CLIENT_ID, "--token-use", "access", "--jwks", "ec.json", "--at", "1700000000", "--json"];
    let verify = |whose: &[&str]| bench.run(&[&["verify"], whose, &more, &[token.as_str()]].concat());
    assert_eq!(verify(&["--issuer", ISSUER]).code, 0, "{:?}", verify(&["--issuer", ISSUER]));
    assert_eq!(verify(&["--issuer", ISSUER, "--alg", "RS256"]).json()["reason"], "algorithm-not-allowed");
    assert_eq!(verify(&["--pool-id", POOL_ID]).json()["reason"], "algorithm-not-allowed");
    assert_eq!(verify(&["--pool-id", POOL_ID, "--alg", "es256"]).code, 0);
}

#[test]
fn verify_reads_pool_and_client_from_the_environment() {
    let bench = Workbench::new();
    let token = valid_token();
    let arguments = ["verify", "--token-use", "access", "--jwks", "jwks.json", "--at", "1700000000", &token];
    let mut command = bench.command(&arguments);
    command.env("COGNITO_USER_POOL_ID", POOL_ID).env("COGNITO_CLIENT_ID", format!("other, {CLIENT_ID}"));
    let run = Run::of(command.output().expect("the command runs"));
    assert_eq!(run.code, 0, "{run:?}");
    command.env("COGNITO_REGION", "eu-west-2");
    assert_eq!(Run::of(command.output().expect("the command runs")).code, 1, "another region is another issuer");
}

#[test]
fn invalid_usage_and_configuration_exit_with_2() {
    let bench = Workbench::new();
    bench.write("broken.json", "{\"keys\":");
    bench.write("empty.json", "{\"keys\":[]}");
    let token = valid_token();
    let pool = ["verify", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--token-use", "access"];
    let with = |more: &[&'static str]| -> Vec<String> {
        pool.iter().chain(more).map(|text| (*text).to_owned()).chain([token.clone()]).collect()
    };
    let cases: Vec<(Vec<String>, &str)> = vec![
        (vec![], "Usage"),
        (vec!["verify".into()], "Usage"),
        (with(&["--jwks", "missing.json"]), "missing.json"),
        (with(&["--jwks", "broken.json"]), "malformed"),
        (with(&["--jwks", "empty.json"]), "no-usable-key"),
        (with(&["--jwks", "http://127.0.0.1:9/jwks"]), "--allow-http-loopback"),
        (with(&["--jwks", "http://example.com/jwks", "--allow-http-loopback"]), "only for loopback addresses"),
        (with(&["--alg", "HS256"]), "HMAC"),
        (with(&["--alg", "none"]), "none"),
        (with(&["--issuer", "https://example.com"]), "cannot be used with"),
        (with(&["--leeway", "901"]), "out-of-range"),
        (with(&["--group", ""]), "empty-list"),
        (with(&["--group", "admins,"]), "empty-list"),
        (with(&["--scope", "", "--all-scopes"]), "empty-list"),
        (with(&["--resource", ""]), "empty-list"),
        (
            ["verify", "--pool-id", POOL_ID, "--client-id", "c", "--token-use", "id", "--resource", "https://api", "x"]
                .map(Into::into)
                .into(),
            "resource-of-id-tokens",
        ),
        (with(&["--batch", "tokens.txt"]), "cannot be used with"),
        (
            ["verify", "--pool-id", "nonsense", "--client-id", "c", "--token-use", "id", "x"].map(Into::into).into(),
            "user pool ID",
        ),
        (["verify", "--client-id", "c", "--token-use", "id", "x"].map(Into::into).into(), "--pool-id"),
        (["verify", "--pool-id", POOL_ID, "--token-use", "id", "x"].map(Into::into).into(), "--client-id"),
        (["verify", "--pool-id", POOL_ID, "--client-id", "c", "x"].map(Into::into).into(), "--token-use"),
        (["jws", "--jwks", "missing.json", "x"].map(Into::into).into(), "missing.json"),
    ];
    for (arguments, hint) in cases {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let run = bench.run(&arguments);
        let shown = arguments.iter().map(|text| text.get(..40).unwrap_or(text)).collect::<Vec<_>>();
        assert_eq!(run.code, 2, "{shown:?}: {run:?}");
        assert!(run.stderr.contains(hint), "{shown:?}: no {hint:?} in {:?}", run.stderr);
        assert!(run.stdout.is_empty(), "{shown:?}: {:?}", run.stdout);
    }
}

#[test]
fn unavailable_keys_exit_with_3() {
    // A port without a listener: bound and closed again.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/jwks.json", listener.local_addr().expect("an address"));
    drop(listener);
    let token = valid_token();
    let arguments =
        ["verify", "--pool-id", POOL_ID, "--client-id", CLIENT_ID, "--token-use", "access", "--at", "1700000000"];
    let run =
        Workbench::new().run(&[&arguments[..], &["--jwks", &url, "--allow-http-loopback", "--json", &token]].concat());
    assert_eq!(run.code, 3, "{run:?}");
    assert_eq!(run.json(), json!({ "verdict": "deny", "reason": "keys-unavailable", "status": 503 }));
}

#[test]
fn a_weak_key_is_reported_and_its_tokens_are_rejected() {
    let bench = Workbench::new();
    let mut key = RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID);
    key["e"] = json!("AQ");
    bench.write("jwks.json", jwks(&[key]));
    let run = bench.verify(&["--json", &valid_token()]);
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("key-refused")), "{run:?}");
    assert!(run.stderr.contains("bad-exponent"), "{run:?}");
}

#[test]
fn batch_verifies_every_line_in_order() {
    let bench = Workbench::new();
    let mut file = Vec::new();
    for line in [&valid_token(), "", "nonsense", &expired_token(), &"x".repeat(3 << 20), "\u{e9}.a.b"] {
        file.extend_from_slice(line.as_bytes());
        file.push(b'\n');
    }
    file.extend_from_slice(b"\xff\xfe.AA.AA\r\n");
    file.extend_from_slice(valid_token().as_bytes());
    bench.write("tokens.txt", &file);
    let expected = [
        "allow",
        "token-empty",
        "token-not-three-parts",
        "expired",
        "token-too-large",
        "encoding-invalid",
        "encoding-invalid",
        "allow",
    ];
    let words = |run: &Run| -> Vec<String> {
        let word = |object: &Value| object["reason"].as_str().or(object["verdict"].as_str()).unwrap_or("?").to_owned();
        run.json_lines().iter().map(word).collect()
    };
    let from_file = bench.verify(&["--batch", "tokens.txt"]);
    assert_eq!(words(&from_file), expected);
    assert_eq!(from_file.code, 1);
    let from_pipe = bench.run_with_input(&[&VERIFY[..], &["--batch", "-"]].concat(), &file);
    assert_eq!(words(&from_pipe), expected);
    assert_eq!(bench.run_with_input(&[&VERIFY[..], &["--batch", "-"]].concat(), valid_token().as_bytes()).code, 0);
    assert_eq!(bench.verify(&["--batch", "missing.txt"]).code, 2);
}

#[test]
fn an_empty_batch_exits_with_3() {
    let bench = Workbench::new();
    bench.write("empty.txt", "");
    bench.write("blank.txt", "\n");
    for command in [&VERIFY[..], &["jws", "--jwks", "jwks.json"]] {
        let from = |path: &'static str| [command, &["--batch", path]].concat();
        for run in [bench.run(&from("empty.txt")), bench.run_with_input(&from("-"), b"")] {
            assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{command:?}: {run:?}");
            assert!(run.stderr.contains("no token was verified"), "{command:?}: {run:?}");
        }
        // An empty line is an empty token, which is denied.
        let blank = bench.run(&from("blank.txt"));
        assert_eq!((blank.code, blank.json()["reason"].as_str()), (1, Some("token-empty")), "{command:?}: {blank:?}");
    }
}

#[test]
fn jws_verifies_any_payload() {
    let bench = Workbench::new();
    bench.write("rfc.json", json!({ "keys": [{ "kty": "RSA", "n": RFC_7515_A2_N, "e": "AQAB" }] }).to_string());
    let run = bench.run(&["jws", "--jwks", "rfc.json", "--json", RFC_7515_A2]);
    assert_eq!(run.code, 0, "{run:?}");
    let object = run.json();
    assert_eq!((object["verdict"].as_str(), object["alg"].as_str()), (Some("allow"), Some("RS256")));
    assert_eq!(object["text"], "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}");

    assert_eq!(bench.run_with_input(&["jws", "--jwks", "rfc.json"], RFC_7515_A2.as_bytes()).code, 0, "from a pipe");
    assert_eq!(bench.run(&["jws", "--jwks", "rfc.json"]).code, 2, "no input");

    let forged = RFC_7515_A2.replacen("cC4h", "cC4i", 1);
    let run = bench.run(&["jws", "--jwks", "rfc.json", "--json", &forged]);
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("signature-invalid")), "{run:?}");

    let run = bench.run(&["jws", "--jwks", "rfc.json", "--alg", "ES256", "--json", RFC_7515_A2]);
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("algorithm-not-allowed")), "{run:?}");

    let lines = format!("{RFC_7515_A2}\n{forged}\n");
    let run = bench.run_with_input(&["jws", "--jwks", "rfc.json", "--batch", "-"], lines.as_bytes());
    let verdicts: Vec<Value> = run.json_lines().into_iter().map(|mut object| object["verdict"].take()).collect();
    assert_eq!((run.code, verdicts), (1, vec![json!("allow"), json!("deny")]));
}

#[test]
fn inspect_marks_claims_as_not_verified_and_omits_the_signature() {
    let bench = Workbench::new();
    let token = Draft::access(&OTHER_RSA_2048).compact();
    let signature = token.rsplit('.').next().expect("a signature");
    let run = bench.run(&["inspect", &token]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.starts_with("NOT VERIFIED") && run.stdout.contains(ISSUER), "{run:?}");
    assert!(!run.stdout.contains(&signature[..16]));
    let run = bench.run_with_input(&["inspect", "--json", "-"], token.as_bytes());
    assert_eq!(run.json()["verified"], false);
    assert_eq!(bench.run(&["inspect", "nonsense"]).code, 1);
}

#[test]
fn inspect_shows_times_as_times() {
    let bench = Workbench::new();
    // {"alg":"ES256"} and {"exp":1}, padded as a load balancer does.
    let run = bench.run(&["inspect", "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjF9.AA=="]);
    assert_eq!((run.code, run.stdout.contains("1970-01-01T00:00:01Z")), (0, true), "{run:?}");
    let run = bench.run(&["inspect", "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjEyfQ==.AA=="]);
    assert_eq!((run.code, run.stdout.contains("1970-01-01T00:00:12Z")), (0, true), "{run:?}");
    let run = bench.run(&["inspect", &Draft::access(&RSA_2048).compact()]);
    assert!(run.stdout.contains("exp        2023-11-14T23:") && run.stdout.contains(" ago"), "{run:?}");
    let run = bench.run(&["inspect", "--json", &Draft::access(&RSA_2048).compact()]);
    assert!(run.json()["times"]["exp"]["secondsFromNow"].as_i64().is_some_and(|seconds| seconds < 0), "{run:?}");
}

#[test]
fn demo_prints_the_expected_verdicts() {
    let bench = Workbench::new();
    let run = bench.run(&["demo"]);
    assert_eq!(run.code, 0, "{run:?}");
    for word in ["TOKEN", "VERDICT", "REASON", "TIME", "signature-invalid", "expired", "as expected"] {
        assert!(run.stdout.contains(word), "no {word} in {}", run.stdout);
    }
    let run = bench.run(&["demo", "--json"]);
    let rows = run.json_lines();
    assert!(rows.len() > 15 && rows.iter().all(|row| row["expected"] == true), "{run:?}");
}

#[test]
fn help_lists_commands_examples_and_exit_codes() {
    let bench = Workbench::new();
    let run = bench.run(&["--help"]);
    assert_eq!(run.code, 0);
    for word in ["demo", "verify", "jws", "inspect", "Exit codes"] {
        assert!(run.stdout.contains(word), "no {word} in {}", run.stdout);
    }
    let run = bench.run(&["verify", "--help"]);
    for word in ["Examples", "--pool-id", "COGNITO_CLIENT_ID", "keys unavailable"] {
        assert!(run.stdout.contains(word), "no {word} in {}", run.stdout);
    }
}

#[test]
fn bench_measures_every_row_or_says_why_it_was_skipped() {
    let bench = Workbench::new();
    let run = bench.run(&["bench", "--quick", "--json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    assert!(report["host"]["cpu"].is_string() && report["host"]["cores"].is_number());
    let rows = report["rows"].as_array().expect("rows");
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    let expected = [
        "kernel-wide",
        "verify-wide",
        "verify-node",
        "verify-simd",
        "verify-portable",
        "cache-hit",
        "es256",
        "ed25519",
        "instantiate",
        "cold-start",
        "threads",
        "memory",
        "size",
        "size-cognito",
    ];
    assert_eq!(ids, expected);
    for row in rows {
        let is_measured = row["ours"].as_f64().is_some_and(|value| value > 0.0);
        assert!(is_measured || row["skipped"].is_string(), "{row}");
        assert!(row["target"].is_number() && row["unit"].is_string(), "{row}");
        let is_right = match (row["ours"].as_f64(), row["peer"].as_f64(), row["ratio"].as_f64()) {
            (Some(ours), Some(peer), Some(ratio)) => (ours / peer - ratio).abs() < 1e-9,
            (_, None, None) => true,
            _ => false,
        };
        assert!(is_right, "{row}");
    }
    // Sizes and memory do not depend on the machine, and must reach their targets.
    for id in ["memory", "size", "size-cognito"] {
        let row = rows.iter().find(|row| row["id"] == id).expect("the row");
        assert_eq!(row["reached"], true, "{row}");
    }
}
