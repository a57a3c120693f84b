//! Reads the configuration again when the operator asks for it, or when the file changes.

use super::gated;
use crate::command::{arguments::ServeArguments, output, revocation::Store, shown};
use poolgate::Gate;
use std::time::Duration;
use tokio::{signal, time::MissedTickBehavior};

/// How often the file is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Replaces the configuration of a gate on SIGHUP and, with `--watch`, when the content of the file is another one than `content`. It never returns.
/// A configuration is taken as a whole or not at all.
pub async fn reload(
    gate: Gate,
    content: String,
    mut hang_ups: HangUps,
    arguments: Box<ServeArguments>,
    store: Option<Store>,
) {
    let Some(file) = &arguments.config else { return };
    let mut content = Some(content);
    let mut ticks = tokio::time::interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_asked = tokio::select! {
            () = hang_ups.next() => true,
            _ = ticks.tick(), if arguments.watch => false,
        };
        let read = gated::read(file).await;
        if !is_asked && read.as_ref().ok() == content.as_ref() {
            continue;
        }
        content = read.as_ref().ok().cloned();
        let built = match read {
            Ok(json) => gated::gate(&arguments, json, store.as_ref()).await,
            Err(error) => Err(error),
        };
        match built {
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

/// The signal SIGHUP, where it exists.
pub struct HangUps {
    #[cfg(unix)]
    signal: Option<signal::unix::Signal>,
}

impl HangUps {
    pub fn new() -> Self {
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
