//! Compares every kernel with two other implementations, on random and edge-case inputs.
//!
//! Run it with `cargo run --release --example differential -- SEED COUNT`. It exits with 1 at the first difference.

#[path = "../tests/cases/mod.rs"]
mod cases;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(seed)), Some(Ok(count)), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("usage: differential SEED COUNT");
        return ExitCode::from(2);
    };
    let mut generator = cases::Generator::new(seed);
    for done in 1..=count {
        let case = generator.next_case();
        if let Err(difference) = cases::check(&case) {
            eprintln!("seed {seed}, case {done}: {difference}\n{case:x?}");
            return ExitCode::FAILURE;
        }
        if done % (count / 20).max(1) == 0 {
            println!("{done} of {count} cases agree");
        }
    }
    println!("seed {seed}: {count} cases, no difference");
    ExitCode::SUCCESS
}
