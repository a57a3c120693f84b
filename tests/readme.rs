//! The README's tables are the contract's.

use poolgate_core::Reason as CoreReason;

const README: &str = include_str!("../README.md");

/// The reason table, as the contract has it. To renew the README's, copy what this test prints.
fn reason_table() -> String {
    let row = |reason: &poolgate::Reason| {
        let answer =
            CoreReason::ALL.iter().find(|core| core.name() == reason.name()).expect("the same reasons").answer();
        format!("| `{}` | {} | {} |\n", reason.name(), answer.status(), reason.description())
    };
    let rows: String = poolgate::Reason::ALL.iter().map(row).collect();
    format!("| reason | answer | what it means |\n|---|---|---|\n{rows}")
}

#[test]
fn the_readme_has_the_reasons_of_the_contract() {
    let expected = reason_table();
    assert!(README.contains(&expected), "the README's table of reasons should be:\n\n{expected}");
}
