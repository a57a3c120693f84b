//! Copies the examples into the target folder and installs them with the commands of their READMEs.

use poolgate_tests::target_folder::target_folder;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// An example that is installed with commands.
pub struct Example {
    /// The name of its folder.
    pub name: &'static str,
    /// The folder in the target folder that replaces the repository's root.
    pub root: &'static str,
    /// The number of the README's block that installs it, from 0.
    pub block: usize,
    /// The file that pins the installed versions.
    pub pinned: &'static str,
    /// The lines of that block that download something. They run only after the pinned versions have changed.
    pub installing: &'static [&'static str],
}

impl Example {
    /// `examples/<name>` of the repository.
    pub fn source(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(self.name)
    }

    /// `examples/<name>` in the target folder, where the example is installed and runs.
    pub fn folder(&self) -> PathBuf {
        self.root().join("examples").join(self.name)
    }

    fn root(&self) -> PathBuf {
        target_folder(self.root)
    }

    /// Copies the example and runs the block of its README, in one process at a time.
    ///
    /// # Panics
    /// If a command fails. The message contains its output.
    pub async fn make_ready(&'static self) {
        tokio::task::spawn_blocking(|| {
            let folder = self.folder();
            fs::create_dir_all(&folder).expect("a folder in the target folder");
            let lock = fs::File::create(self.root().with_extension("lock")).expect("a lock file");
            lock.lock().expect("the lock");
            self.copy();
            let wanted = fs::read_to_string(folder.join(self.pinned)).expect("pinned versions");
            let installed = folder.join("installed");
            let is_there = fs::read_to_string(&installed).is_ok_and(|text| text == wanted);
            let block = &self.commands()[self.block];
            let runs = |line: &&str| !(is_there && self.installing.contains(&command_of(line)));
            let commands: Vec<&str> = block.lines().filter(runs).collect();
            let found = block.lines().filter(|line| self.installing.contains(&command_of(line))).count();
            assert_eq!(found, self.installing.len(), "{}: the README installs otherwise", self.name);
            let output = shell(&commands.join("\n"), &self.root());
            assert!(output.status.success(), "{block}\nfailed:\n{}{}", text(&output.stdout), text(&output.stderr));
            fs::write(installed, wanted).expect("a file");
        })
        .await
        .expect("the example is made ready");
    }

    /// Runs the README's command that verifies a token, with this token and with some words replaced.
    ///
    /// # Panics
    /// If one of the words does not occur.
    pub async fn verify(&'static self, words: &[(&str, &str)], token: &str) -> Output {
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), token).expect("a file");
        let path = file.path().display().to_string();
        let command = replaced(&replaced(&self.commands()[1], words), &[("token.txt", &path)]);
        tokio::task::spawn_blocking(move || shell(&command, &self.folder())).await.expect("no panic")
    }

    /// The README of the example.
    pub fn readme(&self) -> PathBuf {
        self.source().join("README.md")
    }

    /// The blocks of shell commands of the README, in order.
    pub fn commands(&self) -> Vec<String> {
        blocks_of(&self.readme(), "sh")
    }

    /// Copies the files. Installed and generated files in the same folder are kept.
    fn copy(&self) {
        let contract = self.root().join("wit");
        fs::create_dir_all(&contract).expect("a folder in the target folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/verifier.wit");
        fs::copy(source, contract.join("verifier.wit")).expect("the contract");
        for entry in fs::read_dir(self.source()).expect("the example") {
            let entry = entry.expect("a file of the example");
            let is_own = entry.file_type().expect("its kind").is_file() && entry.file_name() != "poolgate.wasm";
            if is_own {
                fs::copy(entry.path(), self.folder().join(entry.file_name())).expect("a file in the target folder");
            }
        }
    }
}

/// The README of the repository.
pub fn front_page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")
}

/// The book's page about migration from other verifiers.
pub fn migration_page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/migration.md")
}

/// Returns the blocks of a page in a language, in order.
pub fn blocks_of(page: &Path, language: &str) -> Vec<String> {
    let text = fs::read_to_string(page).expect("a page");
    let start = format!("```{language}\n");
    let blocks = text.split(&start).skip(1);
    blocks.filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

/// Returns the text with some words replaced.
///
/// # Panics
/// If one of the words does not occur.
pub fn replaced(text: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, other)| {
        assert!(text.contains(word), "{word} is not in {text}");
        text.replace(word, other)
    })
}

/// Returns the path of a file of the tests.
pub fn test_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts").join(name)
}

/// Runs a program and returns its standard output.
///
/// # Panics
/// If it can't be run or fails. The message contains its standard error.
pub async fn printed(mut command: Command) -> String {
    let output = tokio::task::spawn_blocking(move || {
        let output = command.stdin(Stdio::null()).output();
        output.unwrap_or_else(|error| panic!("{command:?} does not run: {error}"))
    });
    let output = output.await.expect("it runs");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Converts the output of a program to text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns a line without its comment.
fn command_of(line: &str) -> &str {
    line.split(" #").next().unwrap_or(line).trim()
}

/// Runs shell commands. Cargo builds from this workspace, wherever the target folder is.
fn shell(commands: &str, folder: &Path) -> Output {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let here = format!("cargo run --quiet --manifest-path '{}' ", manifest.display());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &commands.replace("cargo run ", &here)]).current_dir(folder);
    bash.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("bash does not run: {error}"))
}
