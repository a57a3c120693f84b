//! The process's limit of open files, and how many connections fit it.

use std::{fs, num::NonZeroUsize};

/// The maximum number of connections, however many files may be open.
const MAX_CONNECTIONS: usize = 4_096;

/// Returns how many connections fit the process's limit of open files, or `None` if it is unknown. Half of the files are left for calls to
/// Cognito, key sets and the store of revoked tokens.
pub fn max_connections() -> Option<NonZeroUsize> {
    of_limits(&fs::read_to_string("/proc/self/limits").ok()?)
}

/// Reads the soft limit from the text of `/proc/PID/limits` (proc_pid_limits(5)).
fn of_limits(text: &str) -> Option<NonZeroUsize> {
    let limits = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let open_files: usize = limits.split_whitespace().next()?.parse().ok()?;
    NonZeroUsize::new((open_files / 2).min(MAX_CONNECTIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_open_files_are_connections() {
        let limits = |soft: &str| {
            let text = format!(
                "Limit                     Soft Limit           Hard Limit           Units     \n\
                 Max processes             31722                31722                processes \n\
                 Max open files            {soft}                 524288               files     \n"
            );
            of_limits(&text).map(NonZeroUsize::get)
        };
        for (soft, expected) in [("1024", Some(512)), ("524288", Some(4_096)), ("1", None), ("unlimited", None)] {
            assert_eq!(limits(soft), expected, "{soft}");
        }
        assert_eq!(of_limits("Max processes 1 1 processes"), None);
    }
}
