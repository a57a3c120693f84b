//! The cache of compiled code: a folder to which no other user can write. If there is none, the command warns once and continues.

use super::{Run, VERIFY, Workbench, valid_token};
use std::{ffi::OsStr, process::Command};

const WARNING: &str = "no cache of compiled code is used";

fn warnings(run: &Run) -> usize {
    run.stderr.matches(WARNING).count()
}

/// Verifies a valid token with these environment variables instead of a usable cache.
fn verify(bench: &Workbench, variables: &[(&str, &OsStr)]) -> Run {
    let mut command = bench.command(&[&VERIFY[..], &["--json", &valid_token()]].concat());
    command.env_remove("POOLGATE_CACHE_DIR").env_remove("XDG_CACHE_HOME").envs(variables.iter().copied());
    Run::of(command.output().expect("the command runs"))
}

#[test]
fn without_a_usable_cache_the_command_warns_once_and_continues() {
    let bench = Workbench::new();
    let file = bench.write("file", "");
    let below_a_file = file.join("cache");
    for (variable, value, warned_of) in [
        ("POOLGATE_CACHE_DIR", OsStr::new("/dev/null/cache"), 1),
        ("HOME", OsStr::new("/proc/no-home"), 1),
        ("XDG_CACHE_HOME", below_a_file.as_os_str(), 1),
        // An empty value disables the cache.
        ("POOLGATE_CACHE_DIR", OsStr::new(""), 0),
    ] {
        let run = verify(&bench, &[(variable, value)]);
        assert_eq!((run.code, run.json()["verdict"].as_str()), (0, Some("allow")), "{variable}={value:?}: {run:?}");
        assert_eq!(warnings(&run), warned_of, "{variable}={value:?}: {run:?}");
    }
    // Two components are compiled, and there is one warning. The pool does not exist, and is not contacted.
    let mut command = bench.command(&["account", "--pool-id", super::POOL_ID, "--client-id", "c", "get-user"]);
    let run = Run::of(command.env("POOLGATE_CACHE_DIR", "/dev/null/cache").output().expect("the command runs"));
    assert_eq!((run.code, warnings(&run)), (2, 1), "{run:?}");
    assert!(run.stderr.contains("access token"), "the flow was started: {run:?}");
}

#[cfg(unix)]
#[test]
fn no_other_user_can_write_to_the_cache_whatever_the_umask() {
    use std::{
        fs,
        os::unix::fs::{MetadataExt, PermissionsExt},
    };
    let bench = Workbench::new();
    let cache = bench.0.path().join("home/.cache/poolgate");
    let command = bench.command(&[&VERIFY[..], &["--json", &valid_token()]].concat());
    let careless = || {
        let mut shell = Command::new("sh");
        shell.args(["-c", "umask 000; exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
        shell.current_dir(bench.0.path()).env_remove("POOLGATE_CACHE_DIR").env_remove("XDG_CACHE_HOME");
        shell.env_remove("RUST_LOG").env("HOME", bench.0.path().join("home"));
        Run::of(shell.output().expect("the shell runs"))
    };
    let run = careless();
    assert_eq!((run.code, warnings(&run)), (0, 0), "{run:?}");
    let folder = cache.join("compiled");
    for path in [&cache, &folder] {
        assert_eq!(fs::metadata(path).expect("it was made").mode() & 0o7777, 0o700, "{}", path.display());
    }
    let kept = || fs::read_dir(&folder).expect("it is there").count();
    assert!(kept() > 0, "compiled code is cached");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("the mode");
    let run = careless();
    assert_eq!((run.code, warnings(&run)), (0, 1), "{run:?}");
    assert!(run.stderr.contains("others can write to"), "{run:?}");
}
