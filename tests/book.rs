//! Every code block in the README and the book is run by a test, or is marked as output.

use poolgate_core::Algorithm;
use poolgate_tests::{
    faulty_server::{Behaviour, FaultyServer},
    keys::{RSA_2048, jwks},
    minting::{Draft, KEY_ID},
};
use std::{
    collections::BTreeMap,
    env, fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// Its configuration is used instead of the reader's.
const CONFIGURATION_PAGE: &str = include_str!("../docs/gate.md");

/// How the blocks of a language are run.
enum RunBy {
    /// `the_shell_commands_work`.
    ThisTest,
    /// `the_configurations_are_valid`.
    Configuration,
    /// The documentation tests of these pages: `host/src/lib.rs` and `tests/src/book.rs`.
    DocumentationTest(&'static [&'static str]),
    /// `cargo test --test hosts`, in these pages.
    Hosts(&'static [&'static str]),
    /// `cargo test --test claims`.
    Claims,
    /// Not run: output or a drawing.
    Output,
}

fn run_by(language: &str) -> Option<RunBy> {
    Some(match language {
        "sh" => RunBy::ThisTest,
        "json" => RunBy::Configuration,
        "json,rule" | "json,invalid-rule" => RunBy::Claims,
        "rust" | "rust,no_run" => RunBy::DocumentationTest(&[
            "README",
            "accounts",
            "alb",
            "axum-tonic",
            "discovery",
            "gate",
            "revocation",
            "rust",
        ]),
        "js" | "python" => RunBy::Hosts(&["README", "migration"]),
        "text" => RunBy::Output,
        _ => return None,
    })
}

struct Block {
    page: String,
    line: usize,
    language: String,
    code: String,
}

/// Returns the code blocks of the README and of every page of the book.
fn blocks() -> Vec<Block> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pages = vec![root.join("README.md")];
    let docs = fs::read_dir(root.join("docs")).expect("the book").map(|entry| entry.expect("a page").path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    pages.sort();
    pages.iter().flat_map(|page| blocks_of(page)).collect()
}

fn blocks_of(path: &Path) -> Vec<Block> {
    let text = fs::read_to_string(path).expect("a page");
    let is_contents = path.ends_with("docs/README.md");
    let page = if is_contents { "contents" } else { path.file_stem().expect("a name").to_str().expect("UTF-8") };
    let (mut blocks, mut open): (Vec<Block>, bool) = (Vec::new(), false);
    for (line, content) in text.lines().enumerate() {
        match content.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                let (page, language) = (page.to_owned(), language.to_owned());
                blocks.push(Block { page, line: line + 1, language, code: String::new() });
            }
            None if open => blocks.last_mut().expect("an open block").code.extend([content, "\n"]),
            None => {}
        }
    }
    assert!(!open, "{page}: a block does not end");
    blocks
}

#[test]
fn every_code_block_is_run_or_is_output() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for Block { page, line, language, .. } in blocks() {
        let place = format!("{page}.md, line {line}");
        let runner = run_by(&language).unwrap_or_else(|| panic!("{place}: nothing runs a block of {language:?}"));
        if let RunBy::DocumentationTest(pages) | RunBy::Hosts(pages) = runner {
            assert!(pages.contains(&page.as_str()), "{place}: nothing runs a block of {language} on this page");
        }
        *counts.entry(language).or_default() += 1;
    }
    println!("{counts:?}");
    for language in ["sh", "json", "rust", "rust,no_run", "js", "python", "text"] {
        assert!(counts.contains_key(language), "no block of {language} was found: {counts:?}");
    }
}

#[test]
fn the_configurations_are_valid() {
    let key = RSA_2048.jwk(KEY_ID);
    let modulus = key["n"].as_str().expect("a modulus");
    for block in blocks().iter().filter(|block| matches!(run_by(&block.language), Some(RunBy::Configuration))) {
        let text = block.code.replace("MODULUS", modulus);
        let config = poolgate_edge::config::read(text.as_bytes());
        let config = config.unwrap_or_else(|fault| panic!("{}.md, line {}: {fault}", block.page, block.line));
        poolgate_edge::RequestAuthorizer::new(&config, 0, 0)
            .unwrap_or_else(|fault| panic!("{}.md, line {}: {fault}", block.page, block.line));
    }
}

/// A folder with the files that the pages mention, and a `poolgate` that fetches keys from this test and not from Cognito.
struct Scene {
    folder: TempDir,
    server: FaultyServer,
    port: u16,
}

impl Scene {
    async fn new() -> Self {
        let keys = jwks(&[RSA_2048.jwk_for(Algorithm::Rs256, KEY_ID)]);
        let server = FaultyServer::start(Behaviour::Serve(keys.clone())).await;
        // The port was free a moment ago. The gateway needs an address and cannot use a socket.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a loopback port").port();
        let scene = Self { folder: TempDir::new().expect("a folder"), server, port };
        let token =
            Draft::access(&RSA_2048).claim("client_id", r#""1example23456789""#).claim("exp", 4_000_000_000_u64);
        let token = token.compact();
        scene.write("token.txt", &token);
        scene.write("tokens.txt", format!("{token}\n{token}\n"));
        scene.write("signatures.txt", format!("{token}\n"));
        scene.write("jwks.json", keys);
        scene.command("poolgate", &scene.poolgate());
        // Cargo's binaries are in this folder, except commands of other packages.
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let cargo = env!("CARGO");
        scene.command(
            "cargo",
            &format!(
                "case \"$*\" in\n\
                 'run -- demo') exec poolgate demo ;;\n\
                 'run -p poolgate-'*) shift; exec '{cargo}' run --quiet --manifest-path '{manifest}' \"$@\" ;;\n\
                 'test --workspace') ;;\n\
                 *) exit 2 ;;\n\
                 esac\n"
            ),
        );
        scene.write(
            "poolgate.json",
            CONFIGURATION_PAGE.split("```json\n").nth(1).and_then(|it| it.split("```").next()).expect("one"),
        );
        scene
    }

    /// Returns a script that runs the command with the JWKS URL of this test, unless the page sets another.
    fn poolgate(&self) -> String {
        let command = env!("CARGO_BIN_EXE_poolgate");
        let keys = format!("--jwks {} --allow-http-loopback", self.server.url("/jwks.json"));
        let listen = format!("--listen 127.0.0.1:{} --operations-listen 127.0.0.1:0", self.port);
        format!(
            "case \" $* \" in\n\
             *' --jwks '*) exec {command} \"$@\" ;;\n\
             ' serve --config '*) shift; exec {command} serve {listen} \"$@\" ;;\n\
             ' verify '*) shift; exec {command} verify {keys} \"$@\" ;;\n\
             ' serve '*) shift; exec {command} serve {keys} {listen} \"$@\" ;;\n\
             *) exec {command} \"$@\" ;;\n\
             esac\n"
        )
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, content).expect("the file is written");
        path
    }

    fn command(&self, name: &str, script: &str) {
        let path = self.write(&format!("bin/{name}"), format!("#!/bin/sh\n{script}"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it can be run");
    }

    async fn run(&self, block: &Block) {
        let code = block.code.replace("localhost:8080", &format!("127.0.0.1:{}", self.port));
        let path = env::var("PATH").expect("a PATH");
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &code])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}/bin:{path}", self.folder.path().display()))
            .env("POOLGATE_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
            .stdin(Stdio::null());
        for name in ["COGNITO_USER_POOL_ID", "COGNITO_REGION", "COGNITO_CLIENT_ID", "RUST_LOG", "http_proxy"] {
            bash.env_remove(name);
        }
        let output = tokio::task::spawn_blocking(move || bash.output().expect("bash runs")).await.expect("no panic");
        assert!(
            output.status.success(),
            "{}.md, line {}: {}\n{}\n{}{}",
            block.page,
            block.line,
            output.status,
            block.code,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_commands_work() {
    let scene = Scene::new().await;
    for block in blocks().iter().filter(|block| matches!(run_by(&block.language), Some(RunBy::ThisTest))) {
        scene.run(block).await;
    }
}

#[test]
fn every_link_has_a_target() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = fs::read_dir(root.join("docs")).expect("the book").map(|entry| entry.expect("a page").path());
    let mut pages: Vec<PathBuf> = docs.filter(|path| path.extension().is_some_and(|it| it == "md")).collect();
    pages.extend(
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "fuzz/README.md"].map(|it| root.join(it)),
    );
    let examples = fs::read_dir(root.join("examples")).expect("the examples").map(|entry| entry.expect("one").path());
    // The others are files that examples share.
    pages.extend(examples.filter(|example| example.is_dir()).map(|folder| folder.join("README.md")));
    let mut links = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        for link in text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)) {
            if link.starts_with("https://") {
                continue;
            }
            links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&target).expect("a page");
                let titles = text.lines().filter(|line| line.starts_with('#')).map(anchor_of);
                assert!(
                    titles.into_iter().any(|title| title == anchor),
                    "{}: {link} has no such title",
                    page.display()
                );
            }
        }
    }
    assert!(links > 50, "only {links} links were found");
}

/// The page lists the files in order. If a file is moved, the page must be changed too.
#[test]
fn the_files_of_the_architecture_page_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/architecture.md")).expect("the page");
    let files: Vec<&str> = page.split('`').filter(|text| text.contains('/') && text.ends_with(".rs")).collect();
    assert!(files.len() > 40, "only {} files were found", files.len());
    for file in files {
        assert!(root.join(file).is_file(), "docs/architecture.md: {file} does not exist");
    }
}

/// Returns the anchor of a heading, as GitHub creates it: `the-life-of-keys` for `## The life of keys`.
fn anchor_of(title: &str) -> String {
    let title = title.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}
