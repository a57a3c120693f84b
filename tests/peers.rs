//! The verdicts of other libraries on unusual and ambiguous tokens and keys. This test installs jose, aws-jwt-verify and PyJWT, and writes
//! `docs/peers.md`.

use poolgate_core::Reason;
use poolgate_tests::{npm, python_environment::PythonEnvironment, target_folder::target_folder};
use serde_json::{Map, Value};
use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

mod peers {
    pub mod jsonwebtoken;
    pub mod libraries;
    pub mod page;
    pub mod shapes;
}

use peers::{
    jsonwebtoken,
    libraries::{Library, NODE_LOCK, NODE_PACKAGE, PYTHON_REQUIREMENTS, libraries},
    page::{Column, Verdict, page},
    shapes::{Right, Shape, shapes},
};

/// The row of the README.
const README: &str = include_str!("../README.md");

#[test]
fn the_page_has_the_verdicts_of_every_library_and_the_readme_has_their_number() {
    let shapes = shapes();
    let files = TempDir::new().expect("a folder");
    let file = files.path().join("shapes.json");
    fs::write(&file, shapes.iter().map(Shape::to_json).collect::<Value>().to_string()).expect("a file");
    let mut errors = printed(node(&file));
    errors.extend(printed(python(&file)));
    jsonwebtoken::select_provider();
    errors.insert("jsonwebtoken".to_owned(), shapes.iter().map(jsonwebtoken::verdict).collect());
    let core = |shape: &Shape| shape.case.verify_with_core().err().map(Reason::name);
    errors.insert("poolgate".to_owned(), shapes.iter().map(core).collect());

    let columns: Vec<Column> = libraries().into_iter().map(|library| column(library, &shapes, &errors)).collect();
    let page = page(&shapes, &columns);
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/peers.md");
    if env::var_os("POOLGATE_WRITE_PEERS").is_some() {
        fs::write(&committed, &page).expect("docs/peers.md can be written");
    }
    let found = fs::read_to_string(&committed).unwrap_or_default();
    assert!(found == page, "docs/peers.md is out of date: POOLGATE_WRITE_PEERS=1 cargo test --test peers");
    let row = readme_row(&shapes, &columns);
    assert!(README.contains(&row), "the comparison in README.md should have this row:\n{row}");
}

/// Otherwise a library would be counted as wrong for what it leaves to its caller.
#[test]
fn no_shape_is_decided_by_a_part_of_the_policy_that_it_is_not_about() {
    let of_the_caller = [
        Reason::ClaimMismatch,
        Reason::ClientInvalid,
        Reason::ClientMismatch,
        Reason::ClientMissing,
        Reason::ScopeInvalid,
        Reason::ScopeMissing,
        Reason::TokenUseInvalid,
        Reason::TokenUseMismatch,
        Reason::TokenUseMissing,
    ];
    for shape in shapes().iter().filter(|shape| shape.about.is_none()) {
        let reason = shape.case.verify_with_core().err();
        assert!(reason.is_none_or(|reason| !of_the_caller.contains(&reason)), "{}: {reason:?}", shape.case.name);
    }
}

#[test]
fn poolgate_judges_every_shape_as_the_list_says() {
    for shape in shapes() {
        let is_accepted = shape.case.verify_with_core().is_ok();
        let is_right = match shape.right {
            Right::Accept => is_accepted,
            Right::Reject => !is_accepted,
            Right::Either => true,
        };
        assert!(is_right, "{}: {:?} is right", shape.case.name, shape.right);
    }
}

/// Returns the verdicts of a library. `errors` has `null` for each accepted token. They are printed for people who ask why.
fn column(library: Library, shapes: &[Shape], errors: &Map<String, Value>) -> Column {
    let errors = errors[library.name].as_array().expect("verdicts");
    assert_eq!(errors.len(), shapes.len(), "{} has not one verdict for each shape", library.name);
    let verdict = |(shape, error): (&Shape, &Value)| {
        if shape.about.is_some_and(|about| library.lacks.contains(&about)) {
            return Verdict::CannotExpress;
        }
        println!("{}, {}: {error}", library.name, shape.case.name);
        if error.is_null() { Verdict::Accepts } else { Verdict::Rejects }
    };
    let verdicts = shapes.iter().zip(errors).map(verdict).collect();
    Column { library, verdicts }
}

/// Returns the row of the README's table, whose columns are poolgate, aws-jwt-verify, PyJWT, jsonwebtoken and `jwt_authn`.
fn readme_row(shapes: &[Shape], columns: &[Column]) -> String {
    let of = |name: &str| {
        let column = columns.iter().find(|column| column.library.name == name).expect("a column");
        let (right, counted) = column.right_of_counted(shapes);
        format!("{right} of {counted}")
    };
    let jose = of("jose");
    format!(
        "| [unusual or ambiguous tokens and keys](docs/peers.md), judged right (jose 6.2: {jose}) | {} | {} | {} | {} | not tried |\n",
        of("poolgate"),
        of("aws-jwt-verify"),
        of("PyJWT"),
        of("jsonwebtoken"),
    )
}

fn node(shapes: &Path) -> Command {
    let folder = target_folder("node").join("peers");
    npm::install(&folder, NODE_PACKAGE, NODE_LOCK);
    let script = folder.join("node.mjs");
    // Node.js searches for packages from the folder of the module.
    fs::write(&script, include_str!("peers/node.mjs")).expect("a file in the target folder");
    let mut node = Command::new("node");
    node.arg(script).arg(shapes);
    node
}

fn python(shapes: &Path) -> Command {
    let environment = PythonEnvironment::ensure(&target_folder("python").join("peers"), PYTHON_REQUIREMENTS);
    let environment = environment.unwrap_or_else(|error| panic!("{error}"));
    let mut python = Command::new(environment.python());
    // Python must not write byte code next to the sources.
    python.args(["-I", "-B"]).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/pyjwt.py")).arg(shapes);
    python
}

/// Runs a program, and returns what it prints.
fn printed(mut command: Command) -> Map<String, Value> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("verdicts as JSON")
}
