//! The browser example in Chromium, served by the command of its README.

use crate::hosts::{
    cases,
    example::{Example, printed, test_file},
    node,
    tokens::tokens,
};
use poolgate_core::Algorithm;
use poolgate_tests::{
    chromium::Chromium,
    keys::{P256, RSA_2048, jwks},
    minting::{CLIENT_ID, Draft, ISSUER, KEY_ID, NOW, POOL_ID, SUBJECT},
    npm,
    seen::Seen,
    target_folder::target_folder,
};
use serde_json::json;
use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

static EXAMPLE: Example = Example {
    root: "hosts",
    block: 0,
    name: "browser",
    pinned: "../node/package-lock.json",
    installing: &["npm --prefix examples/node ci --ignore-scripts"],
};

/// The folder with the page's tests and the browser driver.
struct Driver {
    folder: PathBuf,
    chromium: Chromium,
}

async fn ready() -> &'static Driver {
    static READY: OnceCell<Driver> = OnceCell::const_new();
    READY
        .get_or_init(|| async {
            // This installs what the README names.
            node::ready().await;
            EXAMPLE.make_ready().await;
            let driver = tokio::task::spawn_blocking(|| {
                let folder = target_folder("node").join("browser");
                npm::install(&folder, include_str!("browser/package.json"), include_str!("browser/package-lock.json"));
                for name in ["launch.mjs", "corpus.mjs", "page.mjs"] {
                    // Node.js searches for packages from the folder of the module.
                    fs::copy(test_file("browser").join(name), folder.join(name)).expect("a file in the target folder");
                }
                let module = EXAMPLE.folder().join("site/verdicts.mjs");
                fs::copy(test_file("verdicts.mjs"), module).expect("a file in the target folder");
                Driver { folder, chromium: Chromium::find_or_unpack() }
            });
            driver.await.expect("no panic")
        })
        .await
}

impl Driver {
    fn script(&self, name: &str, url: &str) -> Command {
        let mut node = Command::new("node");
        node.arg(self.folder.join(name)).arg(url).arg(&self.chromium.executable).arg(&self.chromium.libraries);
        node
    }
}

/// The file server of the README, on a port that the system chooses.
struct FileServer {
    process: Child,
    url: String,
}

impl FileServer {
    fn start() -> Self {
        let command = EXAMPLE.commands()[1].trim().to_owned();
        let words: Vec<&str> = command.split_whitespace().collect();
        assert_eq!(words.last(), Some(&"8000"));
        let mut server = Command::new(words[0]);
        server.args(&words[1..words.len() - 1]).arg("0").env("PYTHONUNBUFFERED", "1");
        server.current_dir(EXAMPLE.folder()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = server.spawn().expect("python3 runs");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        // Serving HTTP on 127.0.0.1 port 43511 (http://127.0.0.1:43511/) ...
        let url = line.split(['(', ')']).nth(1).unwrap_or_else(|| panic!("no address in {line}")).to_owned();
        Self { process, url }
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        // Fails only if the process has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the verdicts of the page's modules.
pub async fn verdicts() -> Vec<Seen> {
    let (driver, server, files) = (ready().await, FileServer::start(), TempDir::new().expect("a folder"));
    let corpus = files.path().join("cases.json");
    cases::write(&corpus, tokens().iter().copied());
    let mut script = driver.script("corpus.mjs", &server.url);
    script.arg(corpus);
    cases::read(&printed(script).await)
}

/// With `POOLGATE_PICTURES=<folder>`, the test also takes screenshots.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_verifies_what_is_typed_and_sends_it_nowhere() {
    let (driver, server, files) = (ready().await, FileServer::start(), TempDir::new().expect("a folder"));
    let other_issuer = "https://issuer.example.com";
    let other = Draft::access(&P256).signed_with(&P256, Algorithm::Es256).header("kid", "\"curve\"");
    let other = other.claim("iss", format!("\"{other_issuer}\"")).without_claim("token_use").claim("aud", "\"any\"");
    let good = Draft::access(&RSA_2048);
    let tampered = good.compact_with(&good.clone().claim("scope", "\"admin\"").signature());
    let words = json!({
        "now": NOW, "poolId": POOL_ID, "clientId": CLIENT_ID, "issuer": ISSUER, "subject": SUBJECT,
        "jwks": jwks(&[RSA_2048.jwk(KEY_ID)]),
        "otherIssuer": other_issuer, "otherJwks": jwks(&[P256.jwk("curve")]), "other": other.compact(),
        "good": good.compact(), "expired": good.clone().claim("exp", NOW - 1).compact(), "tampered": tampered,
    });
    let file = files.path().join("words.json");
    fs::write(&file, words.to_string()).expect("a file");
    let mut script = driver.script("page.mjs", &server.url);
    script.arg(file).args(env::var_os("POOLGATE_PICTURES").as_deref().map(Path::new));
    printed(script).await;
}
