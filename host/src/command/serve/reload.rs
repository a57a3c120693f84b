//! Reads the configuration again when the operator asks for it, or when the file changes.

use super::gated;
use crate::command::{arguments::ServeArguments, output, revocation::Store, shown};
use poolgate::Gate;
use std::{fs, path::Path, time::Duration};
use tokio::{signal, time::MissedTickBehavior};

/// How often the file is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Replaces the configuration of a gate on SIGHUP and, with `--watch`, when the content of the file has changed. It never returns. A configuration
/// is taken as a whole or not at all.
pub async fn reload(gate: Gate, arguments: Box<ServeArguments>, store: Option<Store>) {
    let Some(file) = &arguments.config else { return };
    let mut hang_ups = HangUps::new();
    let mut ticks = tokio::time::interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut content = read(file);
    loop {
        tokio::select! {
            () = hang_ups.next() => {}
            _ = ticks.tick(), if arguments.watch => {
                if read(file) == content {
                    continue;
                }
            }
        }
        // What is read next may be newer than this; it is then read once more.
        content = read(file);
        match gated::gate(&arguments, file, store.as_ref()).await {
            Ok(new) => {
                gate.replace(new);
                output::notify("poolgate has read the configuration again");
            }
            Err(error) => {
                let error = shown::line(&output::masked(&error.to_string()));
                tracing::error!(%error, "the configuration could not be read again; the old one stays in use");
            }
        }
    }
}

fn read(file: &Path) -> Option<Vec<u8>> {
    fs::read(file).ok()
}

/// The signal SIGHUP, where it exists.
struct HangUps {
    #[cfg(unix)]
    signal: Option<signal::unix::Signal>,
}

impl HangUps {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            signal: signal::unix::signal(signal::unix::SignalKind::hangup()).ok(),
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
