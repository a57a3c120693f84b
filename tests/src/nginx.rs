//! A real nginx in front of a test's servers.

use crate::{
    debian_package,
    server_process::{ServerProcess, free_port},
};
use std::{env, fs, net::Ipv4Addr, path::PathBuf, process::Command};
use tempfile::TempDir;

/// A running nginx; dropping it ends it.
#[derive(Debug)]
pub struct Nginx {
    /// Where it listens, without a slash at the end.
    pub endpoint: String,
    process: ServerProcess,
}

impl Nginx {
    /// Starts one whose `server` block, but for `listen`, is `server`.
    ///
    /// # Panics
    ///
    /// When there is no nginx and none can be had, or it refuses the configuration, with what it said.
    pub async fn start(server: &str) -> Self {
        let nginx = tokio::task::spawn_blocking(find_or_unpack).await.expect("no panic");
        let folder = TempDir::new().expect("a folder");
        let port = free_port();
        let path = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("  {kind}_temp_path {path}/{kind};\n"))
            .collect();
        let configuration = format!(
            "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log stderr info;\nevents {{}}\nhttp {{\n  \
             access_log off;\n{temporary}  server {{\n    listen 127.0.0.1:{port};\n{server}\n  }}\n}}\n"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration).expect("a file");
        let mut command = Command::new(nginx);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file).args(["-e", "stderr"]);
        let mut process = ServerProcess::spawn("nginx", folder, command);
        let endpoint = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        process.comes_up(&endpoint).await;
        Self { endpoint, process }
    }

    /// All that it printed.
    pub fn said(&self) -> String {
        self.process.said()
    }
}

/// The machine's nginx, or the one of Debian's package, unpacked into the target folder: nothing of the system is changed.
fn find_or_unpack() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")]);
    if let Some(found) = folders.map(|folder| folder.join("nginx")).find(|file| file.is_file()) {
        return found;
    }
    let unpacked = debian_package::unpacked("nginx", &["nginx"], "usr/sbin/nginx");
    let unpacked = unpacked.unwrap_or_else(|error| {
        panic!("there is no nginx: install it (Debian: `apt-get install nginx-light`)\n{error}")
    });
    unpacked.join("usr/sbin/nginx")
}
