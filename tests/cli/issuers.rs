//! `poolgate issuer`, and the options of `verify` for other issuers: each sample of each recipe is verified with the options that the command
//! prints.

use super::{Run, Workbench};
use poolgate_tests::recipes::recipes;
use serde_json::Value;
use std::process::{Command, Stdio};

#[test]
fn the_command_lists_and_prints_every_recipe() {
    let bench = Workbench::new();
    let (text, list) = (bench.run(&["issuer", "list"]), bench.run(&["issuer", "list", "--json"]).json());
    let names: Vec<String> = recipes().into_iter().map(|recipe| recipe.name).collect();
    let listed: Vec<&str> = list.as_array().expect("a list").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(listed, names);
    assert!(names.iter().all(|name| text.stdout.lines().any(|line| line.starts_with(name))), "{text:?}");
    for recipe in recipes() {
        let run = bench.run(&["issuer", &recipe.name, "--json"]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        for member in ["name", "title", "summary", "notes", "placeholders", "pool"] {
            assert_eq!(run.json()[member], recipe.document[member], "{}: {member}", recipe.name);
        }
        let text = bench.run(&["issuer", &recipe.name]).stdout;
        assert!(
            text.contains("poolgate verify --") && text.contains(recipe.document["title"].as_str().expect("a title"))
        );
    }
    let run = bench.run(&["issuer", "nobody"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`poolgate issuer list` prints the names"), "{run:?}");
}

#[test]
fn every_sample_of_every_recipe_gets_its_verdict_with_the_printed_options() {
    let bench = Workbench::new();
    let mut judged = 0;
    for recipe in recipes() {
        let printed = bench.run(&["issuer", &recipe.name, "--json"]).json();
        let options: Vec<&str> =
            printed["verify_options"].as_array().expect("options").iter().filter_map(Value::as_str).collect();
        let samples = recipe.document["samples"].as_array().expect("samples");
        for (sample, stated) in recipe.samples().iter().zip(samples) {
            bench.write("issuer.json", sample.pool["keys"]["jwks"].to_string());
            let replaced = options.iter().filter(|option| !option.starts_with("--jwks ")).map(|option| {
                let replace = stated["replace"].as_object().into_iter().flatten();
                // Longer names first, because one may be part of another.
                let mut pairs: Vec<(&String, &str)> =
                    replace.map(|(name, value)| (name, value.as_str().expect("a text"))).collect();
                pairs.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
                pairs.iter().fold((*option).to_owned(), |option, (name, value)| option.replace(name.as_str(), value))
            });
            let line = replaced.collect::<Vec<_>>().join(" ");
            let script = format!("exec \"$0\" verify {line} --jwks issuer.json --at 1700000000 --json -");
            let run = in_shell(&bench, &script, &sample.token);
            let verdict = run.json();
            match &sample.reason {
                None => assert_eq!(
                    (run.code, &verdict["verdict"]),
                    (0, &"allow".into()),
                    "{}: {line}: {run:?}",
                    sample.title
                ),
                Some(reason) => {
                    assert_eq!(
                        (run.code, &verdict["reason"]),
                        (1, &reason.as_str().into()),
                        "{}: {line}: {run:?}",
                        sample.title
                    );
                }
            }
            judged += 1;
        }
    }
    assert!(judged >= 60, "{judged} samples");
}

/// Runs a script of the shell with the command as `$0`.
fn in_shell(bench: &Workbench, script: &str, input: &str) -> Run {
    let path = bench.write("token", input);
    let command = bench.command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(command.get_program()).current_dir(bench.0.path());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::from(std::fs::File::open(path).expect("the token")));
    Run::of(shell.output().expect("the shell runs"))
}

#[test]
fn options_that_do_not_belong_together_are_usage_errors() {
    let bench = Workbench::new();
    let other = ["verify", "--token-use", "unchecked", "--jwks", "jwks.json", "--any-client"];
    for (arguments, hint) in [
        (&["--issuer-template", "https://login.example/{tid}"][..], "--tenant or --any-tenant"),
        (&["--issuer-template", "https://login.example/x", "--any-tenant"], "`{tid}` exactly once"),
        (&["--issuer", "https://a.example", "--pool-id", "eu-west-1_EXAMPLE01"], "cannot be used with"),
        (&["--issuer", "https://a.example", "--claim", "{\"claim\":\"x\"}"], "set one of any_of"),
        (&["--issuer", "https://a.example", "--claim", "{\"claim\":\"exp\",\"exists\":true}"], "claim rule"),
        (&["--issuer", "https://a.example", "--type", "dpop+jwt"], "protocol of its own"),
        (&["--issuer", "https://a.example", "--unbound-client", "m"], "--resource"),
        (&["--issuer", "https://a.example", "--client-claim", "sub"], "client_id"),
        (
            &["--identity-pool-id", "eu-west-1:11111111-2222-4333-8444-555555555555", "--guests", "refuse"],
            "--any-client",
        ),
    ] {
        let run = bench.run(&[&other[..], arguments, &["x.y.z"]].concat());
        assert_eq!(run.code, 2, "{arguments:?}: {run:?}");
        assert!(run.stderr.contains(hint), "{arguments:?}: {run:?}");
    }
}
