//! nginx.

use crate::debian_package;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns the command for an nginx in this folder with these `server` blocks.
///
/// # Panics
///
/// Panics if nginx is neither installed nor available as a package.
pub(crate) async fn command(folder: &Path, servers: &str) -> Command {
    let nginx = tokio::task::spawn_blocking(find_or_unpack).await.expect("no panic");
    let path = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("  {kind}_temp_path {path}/{kind};\n"))
        .collect();
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid {path}/pid;\nerror_log stderr info;\nevents {{}}\nhttp {{\n  \
         access_log off;\n{temporary}{servers}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration).expect("a file");
    let mut command = Command::new(nginx);
    command.arg("-p").arg(folder).arg("-c").arg(&file).args(["-e", "stderr"]);
    command
}

/// Returns the installed nginx, or that of Debian's package, unpacked into the target folder. The system is not changed.
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
