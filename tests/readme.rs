//! The table of reason codes in the book is that of the contract.

use poolgate_core::Reason as CoreReason;

const PAGE: &str = include_str!("../docs/reasons.md");

/// Returns the table of reason codes from the contract. To update the page, copy the output of this test.
fn reason_table() -> String {
    let row = |reason: &poolgate::Reason| {
        let answer =
            CoreReason::ALL.iter().find(|core| core.name() == reason.name()).expect("the same reasons").error_code();
        format!("| `{}` | {} | {} |\n", reason.name(), answer.status(), reason.description())
    };
    let rows: String = poolgate::Reason::ALL.iter().map(row).collect();
    format!("| reason | answer | what it means |\n|---|---|---|\n{rows}")
}

#[test]
fn the_book_has_the_reasons_of_the_contract() {
    let expected = reason_table();
    assert!(PAGE.contains(&expected), "the table of docs/reasons.md should be:\n\n{expected}");
}
