//! `poolgate bench`: what poolgate costs on this machine, beside its peers in the same run.

mod host;
mod measuring;
mod node;
mod probe;
mod row;
mod rows;
mod stage;

use super::{
    arguments::BenchArguments,
    compilation_cache,
    output::{self, CommandError, Outcome},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use row::Row;
use rows::{BenchProfile, Rows};
use serde_json::json;
use std::io::{self, IsTerminal};

pub async fn run(arguments: &BenchArguments) -> Result<Outcome, CommandError> {
    if cfg!(debug_assertions) {
        output::tell(
            "poolgate: this is a debug build: run `cargo run --release -- bench` for figures that mean something",
        );
    }
    let profile = if arguments.quick { BenchProfile::QUICK } else { BenchProfile::FULL };
    let bar = progress();
    bar.set_message("keys and tokens");
    let rows = Rows::new(compilation_cache(), profile)?;
    let mut table = Vec::new();
    for id in rows::IDS {
        bar.set_message(*id);
        table.push(rows.measure(id).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let node = rows.node_version();
    let about = host::about(node.as_deref());
    let json = || json!({ "host": about, "rows": table.iter().map(Row::json).collect::<Vec<_>>() });
    output::conclude(Outcome::Allowed, arguments.json, json, |palette| text(&table, &host::line(&about), palette))
}

/// On standard error, and only where someone sees it.
fn progress() -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(rows::IDS.len() as u64), target);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn text(table: &[Row], host: &str, palette: output::Palette) -> String {
    let heads = ["what", "poolgate", "peer", "ratio", "target"].map(str::to_owned);
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
            None if number == 0 => palette.strong(line),
            None => palette.loud(line),
            Some(true) => line.to_owned(),
            Some(false) => palette.bad(line),
        };
        text.push('\n');
    }
    text + "\nMedians of interleaved slices; a ratio is ours divided by the peer's. A line in red misses its target.\n"
}
