//! `poolgate bench`: the cost of verification on this machine, next to other libraries in the same run.

mod capacity;
mod curves;
mod host;
mod measuring;
mod node;
mod probe;
mod profile;
mod row;
mod rows;
mod rsa;
mod stage;
mod startup;
mod workload;

use super::{
    arguments::BenchArguments,
    cache::compilation_cache,
    output::{self, CommandError, Outcome},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use profile::BenchProfile;
use row::Row;
use serde_json::json;
use std::io::{self, IsTerminal};
use workload::Workload;

pub async fn run(arguments: &BenchArguments) -> Result<Outcome, CommandError> {
    if cfg!(debug_assertions) {
        output::notify(
            "warning: this is a debug build; run `cargo run --release --features bench -- bench` for meaningful results",
        );
    }
    let profile = if arguments.quick { BenchProfile::QUICK } else { BenchProfile::FULL };
    let bar = progress();
    bar.set_message("keys and tokens");
    let workload = Workload::new(compilation_cache(), profile)?;
    let mut table = Vec::new();
    for id in rows::IDS {
        bar.set_message(*id);
        table.push(rows::measure(&workload, id).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let node = workload.node_version();
    let about = host::about(node.as_deref());
    let json = || json!({ "host": about, "rows": table.iter().map(Row::json).collect::<Vec<_>>() });
    output::conclude(Outcome::Allowed, arguments.json, json, |palette| text(&table, &host::line(&about), palette))
}

/// A progress bar on standard error, if that is a terminal.
fn progress() -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(rows::IDS.len() as u64), target);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(table: &[Row], host: &str, palette: output::Palette) -> String {
    let heads = ["measurement", "poolgate", "other", "ratio", "target"].map(str::to_owned);
    let cells: Vec<[String; 5]> = std::iter::once(heads).chain(table.iter().map(Row::cells)).collect();
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut text = format!("{host}\n\n");
    for (number, row) in cells.iter().enumerate() {
        let line: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let line = line.join("  ");
        let line = line.trim_end();
        let reached = number.checked_sub(1).and_then(|row| table.get(row)).and_then(Row::is_reached);
        text += &match reached {
            None if number == 0 => palette.bold(line),
            None => palette.warning(line),
            Some(true) => line.to_owned(),
            Some(false) => palette.failure(line),
        };
        text.push('\n');
    }
    text + "\nMedians of interleaved rounds. The ratio is poolgate's value divided by the other library's. A red line misses its target.\n"
}
