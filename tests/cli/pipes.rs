//! The command with pipes: a reader that closes standard output early, one that waits for each line, and a closed standard error.

use super::{CLIENT_ID, Draft, RFC_7515_A2, RFC_7515_A2_N, RSA_2048, VERIFY, Workbench, expired_token, valid_token};
use poolgate_core::Algorithm;
use poolgate_tests::keys::jwks;
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// Longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the command with a closed standard output, sends the input after that, and returns the exit code.
fn code_without_a_reader(bench: &Workbench, arguments: &[&str], input: &str) -> i32 {
    let mut command = bench.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    drop(child.stdout.take());
    // The command may already have ended.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    code(child)
}

fn code(mut child: Child) -> i32 {
    child.wait().expect("it ends").code().expect("it was not killed")
}

#[test]
fn the_exit_code_is_that_of_the_outcome_even_if_standard_output_is_closed() {
    let bench = Workbench::new();
    bench.write("rfc.json", json!({ "keys": [{ "kty": "RSA", "n": RFC_7515_A2_N, "e": "AQAB" }] }).to_string());
    let forged = RFC_7515_A2.replacen("cC4h", "cC4i", 1);
    let verify = |more: &[&'static str]| [&VERIFY[..], more].concat();
    let jws = |more: &[&'static str]| [&["jws", "--jwks", "rfc.json"][..], more].concat();
    let unavailable = "verify --pool-id eu-west-1_EXAMPLE01 --any-client --token-use access --at 1700000000 \
                       --jwks http://127.0.0.1:1/jwks.json --allow-http-loopback -";
    for (arguments, input, code) in [
        (verify(&["-"]), valid_token(), 0),
        (verify(&["-"]), expired_token(), 1),
        (verify(&["--json", "-"]), expired_token(), 1),
        (unavailable.split(' ').collect(), valid_token(), 3),
        (jws(&["-"]), RFC_7515_A2.to_owned(), 0),
        (jws(&["-"]), forged.clone(), 1),
        (jws(&["--json", "-"]), forged.clone(), 1),
        (vec!["inspect", "-"], valid_token(), 0),
        (vec!["inspect", "-"], "nonsense".to_owned(), 1),
        // Not all of the output was read.
        (vec!["demo"], String::new(), 3),
        (vec!["demo", "--json"], String::new(), 3),
    ] {
        assert_eq!(code_without_a_reader(&bench, &arguments, &input), code, "{arguments:?}");
    }
}

#[test]
fn a_batch_whose_output_is_closed_early_exits_with_3() {
    let bench = Workbench::new();
    let (valid, expired) = (valid_token(), expired_token());
    bench.write("valid.txt", format!("{valid}\n{valid}\n"));
    bench.write("invalid.txt", format!("{valid}\n{expired}"));
    // More data than one read or write.
    bench.write("long.txt", format!("{valid}\n").repeat(200));
    let from_file = |name: &str| code_without_a_reader(&bench, &[&VERIFY[..], &["--batch", name]].concat(), "");
    // All lines of a file may have been verified before the command notices that standard output is closed.
    assert_eq!(from_file("valid.txt"), 0);
    assert_eq!(from_file("invalid.txt"), 1);
    assert_eq!(from_file("long.txt"), 3);
    // The end of a pipe cannot be detected without waiting for it.
    for input in [format!("{valid}\n{valid}\n"), format!("{valid}\n{expired}\n"), format!("{valid}\n").repeat(200)] {
        let arguments = [&VERIFY[..], &["--batch", "-"]].concat();
        assert_eq!(code_without_a_reader(&bench, &arguments, &input), 3);
    }
}

#[test]
fn a_process_gets_the_verdict_of_a_line_before_it_writes_the_next_line() {
    let bench = Workbench::new();
    let mut command = bench.command(&[&VERIFY[..], &["--batch", "-"]].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let (mut input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let (sender, lines) = mpsc::channel();
    let reader = thread::spawn(move || BufReader::new(output).lines().for_each(|line| drop(sender.send(line))));
    let mut answer = |line: &str| -> Vec<Value> {
        input.write_all(line.as_bytes()).expect("it reads");
        let next = || lines.recv_timeout(PATIENCE).expect("the verdict comes before the next line").expect("a line");
        line.lines().map(|_| serde_json::from_str(&next()).expect("JSON")).collect()
    };
    for _ in 0..2 {
        assert_eq!(answer(&format!("{}\n", valid_token()))[0]["verdict"], "allow");
        assert_eq!(answer(&format!("{}\n", expired_token()))[0]["reason"], "expired");
    }
    let several = answer(&format!("{}\n\nnonsense\n", valid_token()));
    assert_eq!((&several[0]["verdict"], &several[1]["reason"]), (&json!("allow"), &json!("token-empty")));
    // An incomplete line waits for its end. Verdicts of earlier lines do not.
    input.write_all(b"a.b").expect("it reads");
    drop(input);
    let last: Value =
        serde_json::from_str(&lines.recv_timeout(PATIENCE).expect("in time").expect("a line")).expect("JSON");
    assert_eq!(last["reason"], "token-not-three-parts");
    reader.join().expect("no panic");
    assert_eq!(code(child), 1);
}

#[test]
fn a_closed_standard_error_does_not_change_the_outcome() {
    let bench = Workbench::new();
    let mut weak = RSA_2048.jwk_for(Algorithm::Rs256, "weak");
    weak["e"] = json!("AQ");
    bench.write("jwks.json", jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, super::KEY_ID), weak]));
    for (arguments, input, expected) in [
        (&VERIFY[..], valid_token(), 0),
        (&VERIFY[..], expired_token(), 1),
        (&["inspect", "-"], "nonsense".into(), 1),
        (&["verify", "--client-id", CLIENT_ID, "--token-use", "id"], valid_token(), 2),
        (&["no-such-command"], String::new(), 2),
    ] {
        let mut command = bench.command(arguments);
        // The command logs, and warns about an unusable cache of compiled code.
        command.env("RUST_LOG", "debug").env("POOLGATE_CACHE_DIR", "/dev/null/cache");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop(child.stderr.take());
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        assert_eq!(code(child), expected, "{arguments:?}");
    }
}

#[test]
fn control_and_invisible_characters_of_a_token_are_escaped_on_a_terminal() {
    let bench = Workbench::new();
    // C1 and bidirectional control characters in a username.
    let name = "\u{9b}31mroot\u{202e}nimda\u{2066}\u{200b}\u{7f}\u{2028}";
    let draft = Draft::access(&RSA_2048).claim("username", format!("\"{name}\"")).claim(name, "true");
    let token = draft.compact();
    bench.write("tokens.txt", format!("{token}\n"));
    for arguments in [
        vec!["inspect", &token],
        vec!["inspect", "--json", &token],
        [&VERIFY[..], &[&token]].concat(),
        [&VERIFY[..], &["--json", &token]].concat(),
        [&VERIFY[..], &["--batch", "tokens.txt"]].concat(),
    ] {
        let run = bench.run(&arguments);
        assert_eq!(run.code, 0, "{run:?}");
        let is_unseen = |letter: char| letter.is_control() || (!letter.is_ascii() && name.contains(letter));
        assert!(!run.stdout.lines().flat_map(str::chars).any(is_unseen), "{:?}", run.stdout);
        if arguments.contains(&"--json") || arguments.contains(&"--batch") {
            let claims = &run.json()["claims"];
            assert_eq!(
                (&claims["username"], &claims[name]),
                (&json!(name), &json!(true)),
                "a JSON parser reads the original value"
            );
        }
    }
    let mut jws = bench.command(&["jws", "--jwks", "jwks.json", "--json", &token]);
    let jws = String::from_utf8(jws.output().expect("it runs").stdout).expect("UTF-8");
    assert!(jws.contains("\\u009b31m") && !jws.contains('\u{9b}'), "{jws}");
}

#[test]
fn the_token_use_is_printed_as_in_the_claim() {
    let bench = Workbench::new();
    let id = Draft::id(&RSA_2048).compact();
    for (token, name) in [(valid_token(), "access"), (id, "id")] {
        let mut arguments = VERIFY;
        arguments[6] = "any";
        let run = bench.run(&[&arguments[..], &[&token]].concat());
        assert!(run.stdout.contains(&format!("\n  token use   {name}\n")), "{run:?}");
    }
}
