//! A Redis server for one test.

use crate::{
    debian_package,
    faulty_server::Certificate,
    server_process::{ServerProcess, free_port},
};
use std::{
    env, fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// The password.
pub const PASSWORD: &str = "Redis-Horse-Staple-9";
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The Debian packages of the server (`redis-server` is a link to it), and of libraries that a minimal Debian lacks.
const PACKAGES: [&str; 3] = ["redis-tools", "libjemalloc2", "liblzf1"];
const SERVER: &str = "usr/bin/redis-check-rdb";

/// A running Redis with persistence, so that its entries survive [`Redis::restart`]. It is stopped when dropped.
#[derive(Debug)]
pub struct Redis {
    /// The port at 127.0.0.1.
    pub port: u16,
    /// The port for TLS, if it has a certificate.
    pub tls_port: u16,
    certificate: Option<(String, String)>,
    data: TempDir,
    process: Option<ServerProcess>,
}

impl Redis {
    /// Starts a server.
    ///
    /// # Panics
    ///
    /// Panics if Redis is not available or does not start, with its output.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts a server with this certificate.
    ///
    /// # Panics
    ///
    /// Panics like [`Redis::start`].
    pub async fn start_with_tls(certificate: &Certificate) -> Self {
        Self::start_with(Some(certificate.pem())).await
    }

    async fn start_with(certificate: Option<(String, String)>) -> Self {
        let data = TempDir::new().expect("a folder");
        let mut redis = Self { port: free_port(), tls_port: free_port(), certificate, data, process: None };
        redis.run().await;
        redis
    }

    /// Returns the URL `redis://…`, with the password.
    pub fn url(&self) -> String {
        url(self.port)
    }

    /// Stops the server.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Stops the server if it runs, and starts it on the same port with the same data.
    ///
    /// # Panics
    ///
    /// Panics if it does not start.
    pub async fn restart(&mut self) {
        self.stop();
        self.run().await;
    }

    /// Returns the reply to a command whose arguments contain no spaces: the line without its type.
    ///
    /// # Panics
    ///
    /// Panics if it does not respond, or with an error.
    pub async fn answer(&self, command: &str) -> String {
        let answer = answer(self.port, command).await;
        let answer = answer.unwrap_or_else(|| panic!("no answer to {command:?}; it said:\n{}", self.output()));
        assert!(!answer.starts_with('-'), "{command}: {answer}");
        answer.get(1..).unwrap_or_default().to_owned()
    }

    /// Returns the number of connections, without that of this query.
    ///
    /// # Panics
    ///
    /// Panics if it does not respond.
    pub async fn connections(&self) -> usize {
        let text = conversation(self.port, "CLIENT LIST\r\nPING\r\n", "+PONG\r\n").await.expect("it answers");
        text.lines().filter(|line| line.starts_with("id=")).count().saturating_sub(1)
    }

    /// Returns its keys, in order.
    ///
    /// # Panics
    ///
    /// Panics if it does not respond.
    pub async fn keys(&self) -> Vec<String> {
        let text = conversation(self.port, "KEYS *\r\nPING\r\n", "+PONG\r\n").await.expect("it answers");
        let mut keys: Vec<String> =
            text.lines().filter(|line| !line.starts_with(['*', '$', '+'])).map(Into::into).collect();
        keys.sort();
        keys
    }

    fn output(&self) -> String {
        self.process.as_ref().map(ServerProcess::output).unwrap_or_default()
    }

    async fn run(&mut self) {
        let (server, libraries) = tokio::task::spawn_blocking(find_or_unpack).await.expect("no panic");
        let folder = TempDir::new().expect("a folder");
        let mut configuration = format!(
            "bind 127.0.0.1\nport {}\nrequirepass {PASSWORD}\ndir {}\nsave \"\"\nappendonly yes\nappendfsync always\n\
             maxmemory-policy noeviction\n",
            self.port,
            self.data.path().display()
        );
        if let Some((certificate, key)) = &self.certificate {
            fs::write(folder.path().join("certificate"), certificate).expect("a file");
            fs::write(folder.path().join("key"), key).expect("a file");
            configuration += &format!("tls-port {}\ntls-auth-clients no\n", self.tls_port);
            let folder = folder.path().display();
            for (option, file) in [("cert", "certificate"), ("key", "key"), ("ca-cert", "certificate")] {
                configuration += &format!("tls-{option}-file {folder}/{file}\n");
            }
        }
        let file = folder.path().join("redis.conf");
        fs::write(&file, configuration).expect("a file");
        let mut command = Command::new(server);
        // Debian has one program, whose behaviour depends on its name.
        command.arg0("redis-server").arg(&file);
        if let Some(libraries) = libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        let mut process = ServerProcess::spawn("redis", folder, command);
        let port = self.port;
        process.comes_up_when(async || answer(port, "PING").await.as_deref() == Some("+PONG")).await;
        self.process = Some(process);
    }
}

/// Returns the URL for the port of a proxy in front of it.
pub fn url(port: u16) -> String {
    format!("redis://:{PASSWORD}@127.0.0.1:{port}")
}

async fn answer(port: u16, command: &str) -> Option<String> {
    let text = conversation(port, &format!("{command}\r\n"), "\r\n").await?;
    Some(text.lines().next()?.to_owned())
}

/// Returns the response after authentication, up to `end`.
async fn conversation(port: u16, commands: &str, end: &str) -> Option<String> {
    let talk = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        stream.write_all(format!("AUTH {PASSWORD}\r\n{commands}").as_bytes()).await.ok()?;
        let mut said = Vec::new();
        loop {
            let mut part = [0; 4096];
            let length = stream.read(&mut part).await.ok().filter(|length| *length > 0)?;
            said.extend_from_slice(part.get(..length)?);
            let text = String::from_utf8_lossy(&said).into_owned();
            if let Some(answer) = text.strip_prefix("+OK\r\n").filter(|answer| answer.ends_with(end)) {
                return Some(answer.to_owned());
            }
        }
    };
    timeout(ANSWER_TIMEOUT, talk).await.ok().flatten()
}

/// Returns the installed Redis, or Debian's with the folder of its libraries.
fn find_or_unpack() -> (PathBuf, Option<PathBuf>) {
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = env::split_paths(&path).map(|folder| folder.join("redis-server")).find(|file| file.is_file()) {
        return (found, None);
    }
    let folder = debian_package::unpacked("redis", &PACKAGES, SERVER).unwrap_or_else(|error| {
        panic!("there is no Redis: install it (Debian: `apt-get install redis-server`)\n{error}")
    });
    let libraries = libraries(&folder.join("usr/lib")).expect("the packages have libraries");
    (folder.join(SERVER), Some(libraries))
}

/// `usr/lib/<architecture>`.
fn libraries(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.filter_map(Result::ok).map(|entry| entry.path()).find(|path| path.join("libjemalloc.so.2").exists())
}
