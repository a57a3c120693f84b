//! `docs/peers.md`: the verdicts of each library, and how each was configured.

use super::{
    libraries::Library,
    shapes::{Right, Shape},
};

const INTRODUCTION: &str = "\
# Other verifiers on the same tokens

After this page you know how poolgate and four other libraries judge {shapes} unusual or ambiguous tokens and keys, with which configuration, and which
verdict is right and why.

";

const HOW: &str = "
A shape is counted for a library if the library can express the policy, and if the sources do not allow both verdicts.

**Read the numbers with care.** The list is poolgate's own. It was made from the specifications and from bug reports about real issuers, and poolgate was
changed until it judged every shape as the list says. So the first column shows only that it does. Another author's list would give other numbers. The
two kinds of mistakes differ: a token that should be accepted and is rejected locks a user out, and one that should be rejected and is accepted is a risk.

`POOLGATE_WRITE_PEERS=1 cargo test --test peers` installs the libraries in these versions, verifies every shape with each and writes this page.
`cargo test --test peers` compares it. `tests/peers/shapes.txt` has the list.

## How each library is configured

Each library gets the policy of the shape through its own options, and the rest are its defaults: issuers, audiences, algorithms, the key set, and that
`exp`, `iss` and `sub` are required, where there is an option. Listed tenants of a template become a list of issuers. What a library leaves to its
caller, such as a comparison of a claim after the verification, is the caller's code and not its verdict: the library can't express such a policy.

";

const TABLE: &str = "
## All shapes

\"–\" means that the library can't express the policy. Bold verdicts are wrong. If *either* is right, the shape is not counted.

";

const READ_NEXT: &str = "
## Read next

- [Comparison](comparison.md): what else differs.
- [Tokens of other issuers](issuers.md): the issuers that write such tokens and keys.
- [How poolgate is tested](testing.md).
";

/// A verdict of a library for a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepts,
    Rejects,
    CannotExpress,
}

/// A column: a library, and its verdicts in the order of the shapes.
pub struct Column {
    pub library: Library,
    pub verdicts: Vec<Verdict>,
}

impl Column {
    /// Returns the number of counted shapes that are judged as `judged` says.
    fn count(&self, shapes: &[Shape], judged: impl Fn(Right, Verdict) -> bool) -> usize {
        let pairs = shapes.iter().zip(&self.verdicts);
        pairs.filter(|(shape, verdict)| judged(shape.right, **verdict)).count()
    }

    /// Returns the number of shapes that are judged right, and the number of those that are counted.
    pub fn right_of_counted(&self, shapes: &[Shape]) -> (usize, usize) {
        let counted = self.count(shapes, |right, verdict| right != Right::Either && verdict != Verdict::CannotExpress);
        let right = self.count(shapes, |right, verdict| {
            matches!((right, verdict), (Right::Accept, Verdict::Accepts) | (Right::Reject, Verdict::Rejects))
        });
        (right, counted)
    }
}

/// Returns the page.
pub fn page(shapes: &[Shape], columns: &[Column]) -> String {
    let names: Vec<String> = columns.iter().map(|column| column.library.title()).collect();
    let row = |title: &str, cell: &dyn Fn(&Column) -> String| {
        let cells: Vec<String> = columns.iter().map(cell).collect();
        format!("| {title} | {} |\n", cells.join(" | "))
    };
    let count = |judged: fn(Right, Verdict) -> bool| move |column: &Column| column.count(shapes, judged).to_string();
    let mut page = INTRODUCTION.replace("{shapes}", &shapes.len().to_string());
    page += &format!("| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(columns.len()));
    page += &row("judged right, of the shapes that are counted", &|column| {
        let (right, counted) = column.right_of_counted(shapes);
        format!("{right} of {counted}")
    });
    page += &row(
        "rejected, but should be accepted",
        &count(|right, verdict| right == Right::Accept && verdict == Verdict::Rejects),
    );
    page += &row(
        "accepted, but should be rejected",
        &count(|right, verdict| right == Right::Reject && verdict == Verdict::Accepts),
    );
    page += &row(
        "policy can't be expressed",
        &count(|right, verdict| right != Right::Either && verdict == Verdict::CannotExpress),
    );
    page += &row("either verdict is right", &count(|right, _| right == Right::Either));
    page += HOW;
    for column in columns {
        page += &format!("- **{}**: {}\n", column.library.title(), column.library.configuration);
    }
    page += TABLE;
    page +=
        &format!("| shape | right | {} | why |\n|---|---|{}---|\n", names.join(" | "), "---|".repeat(columns.len()));
    for (index, shape) in shapes.iter().enumerate() {
        let right = match shape.right {
            Right::Accept => "accept",
            Right::Reject => "reject",
            Right::Either => "*either*",
        };
        let cells: Vec<&str> = columns.iter().map(|column| cell(shape.right, column.verdicts[index])).collect();
        page +=
            &format!("| {} | {right} | {} | {} |\n", shape.case.name.replace('_', " "), cells.join(" | "), shape.why);
    }
    page + READ_NEXT
}

fn cell(right: Right, verdict: Verdict) -> &'static str {
    match (right, verdict) {
        (Right::Accept, Verdict::Rejects) => "**rejects**",
        (Right::Reject, Verdict::Accepts) => "**accepts**",
        (_, Verdict::Accepts) => "accepts",
        (_, Verdict::Rejects) => "rejects",
        (_, Verdict::CannotExpress) => "–",
    }
}
