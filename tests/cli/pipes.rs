//! The command between pipes: a reader that goes before the end, one that waits for each line, standard error that nobody reads.

use super::{CLIENT_ID, Draft, RFC_7515_A2, RFC_7515_A2_N, RSA_2048, VERIFY, Workbench, expired, good};
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

/// No busy machine needs longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the command with a standard output whose reader has gone, and gives it its input only then. The exit code.
fn code_without_a_reader(bench: &Workbench, arguments: &[&str], input: &str) -> i32 {
    let mut command = bench.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    drop(child.stdout.take());
    // Whoever has said all that it will say may be gone.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    code(child)
}

fn code(mut child: Child) -> i32 {
    child.wait().expect("it ends").code().expect("it was not killed")
}

#[test]
fn the_outcome_is_the_exit_code_also_when_the_reader_is_gone() {
    let bench = Workbench::new();
    bench.write("rfc.json", json!({ "keys": [{ "kty": "RSA", "n": RFC_7515_A2_N, "e": "AQAB" }] }).to_string());
    let forged = RFC_7515_A2.replacen("cC4h", "cC4i", 1);
    let verify = |more: &[&'static str]| [&VERIFY[..], more].concat();
    let jws = |more: &[&'static str]| [&["jws", "--jwks", "rfc.json"][..], more].concat();
    let unavailable = "verify --pool-id eu-west-1_EXAMPLE01 --any-client --token-use access --at 1700000000 \
                       --jwks http://127.0.0.1:1/jwks.json --allow-http-loopback -";
    for (arguments, input, code) in [
        (verify(&["-"]), good(), 0),
        (verify(&["-"]), expired(), 1),
        (verify(&["--json", "-"]), expired(), 1),
        (unavailable.split(' ').collect(), good(), 3),
        (jws(&["-"]), RFC_7515_A2.to_owned(), 0),
        (jws(&["-"]), forged.clone(), 1),
        (jws(&["--json", "-"]), forged.clone(), 1),
        (vec!["inspect", "-"], good(), 0),
        (vec!["inspect", "-"], "nonsense".to_owned(), 1),
        // It was not shown to its end.
        (vec!["demo"], String::new(), 3),
        (vec!["demo", "--json"], String::new(), 3),
    ] {
        assert_eq!(code_without_a_reader(&bench, &arguments, &input), code, "{arguments:?}");
    }
}

#[test]
fn a_batch_that_was_not_judged_to_its_end_is_3() {
    let bench = Workbench::new();
    let (good, expired) = (good(), expired());
    bench.write("good.txt", format!("{good}\n{good}\n"));
    bench.write("bad.txt", format!("{good}\n{expired}"));
    // More than is read or written at once.
    bench.write("long.txt", format!("{good}\n").repeat(200));
    let from_file = |name: &str| code_without_a_reader(&bench, &[&VERIFY[..], &["--batch", name]].concat(), "");
    // All of a file may have been judged when it turns out that nobody reads.
    assert_eq!(from_file("good.txt"), 0);
    assert_eq!(from_file("bad.txt"), 1);
    assert_eq!(from_file("long.txt"), 3);
    // Whether a pipe has an end can't be known without waiting for it.
    for input in [format!("{good}\n{good}\n"), format!("{good}\n{expired}\n"), format!("{good}\n").repeat(200)] {
        let arguments = [&VERIFY[..], &["--batch", "-"]].concat();
        assert_eq!(code_without_a_reader(&bench, &arguments, &input), 3);
    }
}

#[test]
fn a_co_process_has_the_verdict_of_a_line_before_it_writes_the_next() {
    let bench = Workbench::new();
    let mut command = bench.command(&[&VERIFY[..], &["--batch", "-"]].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let (mut input, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let (said, lines) = mpsc::channel();
    let reader = thread::spawn(move || BufReader::new(output).lines().for_each(|line| drop(said.send(line))));
    let mut answer = |line: &str| -> Vec<Value> {
        input.write_all(line.as_bytes()).expect("it reads");
        let next = || lines.recv_timeout(PATIENCE).expect("the verdict comes before the next line").expect("a line");
        line.lines().map(|_| serde_json::from_str(&next()).expect("JSON")).collect()
    };
    for _ in 0..2 {
        assert_eq!(answer(&format!("{}\n", good()))[0]["verdict"], "allow");
        assert_eq!(answer(&format!("{}\n", expired()))[0]["reason"], "expired");
    }
    let several = answer(&format!("{}\n\nnonsense\n", good()));
    assert_eq!((&several[0]["verdict"], &several[1]["reason"]), (&json!("allow"), &json!("token-empty")));
    // The start of a line waits for its end, and what came before it does not.
    input.write_all(b"a.b").expect("it reads");
    drop(input);
    let last: Value =
        serde_json::from_str(&lines.recv_timeout(PATIENCE).expect("in time").expect("a line")).expect("JSON");
    assert_eq!(last["reason"], "token-not-three-parts");
    reader.join().expect("no panic");
    assert_eq!(code(child), 1);
}

#[test]
fn standard_error_that_nobody_reads_changes_no_outcome() {
    let bench = Workbench::new();
    let mut weak = RSA_2048.jwk_for(Algorithm::Rs256, "weak");
    weak["e"] = json!("AQ");
    bench.write("jwks.json", jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, super::KEY_ID), weak]));
    for (arguments, input, expected) in [
        (&VERIFY[..], good(), 0),
        (&VERIFY[..], expired(), 1),
        (&["inspect", "-"], "nonsense".into(), 1),
        (&["verify", "--client-id", CLIENT_ID, "--token-use", "id"], good(), 2),
        (&["no-such-command"], String::new(), 2),
    ] {
        let mut command = bench.command(arguments);
        // It logs, and a cache of compiled code that can't be used is warned of.
        command.env("RUST_LOG", "debug").env("POOLGATE_CACHE_DIR", "/dev/null/cache");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it runs");
        drop(child.stderr.take());
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        assert_eq!(code(child), expected, "{arguments:?}");
    }
}

#[test]
fn what_a_stranger_wrote_can_neither_command_a_terminal_nor_hide_there() {
    let bench = Workbench::new();
    // What C1 and bidirectional controls look like in a name.
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
                "a reader of JSON sees what it was"
            );
        }
    }
    let mut jws = bench.command(&["jws", "--jwks", "jwks.json", "--json", &token]);
    let jws = String::from_utf8(jws.output().expect("it runs").stdout).expect("UTF-8");
    assert!(jws.contains("\\u009b31m") && !jws.contains('\u{9b}'), "{jws}");
}

#[test]
fn the_token_use_is_named_as_the_claim_names_it() {
    let bench = Workbench::new();
    let id = Draft::id(&RSA_2048).compact();
    for (token, name) in [(good(), "access"), (id, "id")] {
        let mut arguments = VERIFY;
        arguments[6] = "any";
        let run = bench.run(&[&arguments[..], &[&token]].concat());
        assert!(run.stdout.contains(&format!("\n  token use   {name}\n")), "{run:?}");
    }
}
