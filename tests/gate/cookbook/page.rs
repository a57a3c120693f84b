//! Reads the recipes of a page: a configuration, and a table of requests with the expected results.

use serde_json::Value;

/// A policy of the page, with its table.
pub struct Recipe {
    pub title: String,
    pub configuration: Value,
    pub rows: Vec<Row>,
}

/// A request and what the page says about it.
pub struct Row {
    /// The number of its line on the page, from 1.
    pub line: usize,
    pub method: String,
    /// A path with a query, or a whole URL.
    pub url: String,
    /// The header fields, in which `<token>` is the place of the token. The names are in lower case.
    pub headers: Vec<(String, String)>,
    /// The words that describe the token; see `tokens.rs`.
    pub token: Vec<String>,
    pub result: String,
    /// What the headers of the forwarded request, or of the response, must be.
    pub expected: Vec<Expected>,
}

/// What a header must be.
pub enum Expected {
    /// It occurs exactly once, with this value.
    Is(String, String),
    /// It does not occur.
    Absent(String),
}

/// Returns the recipes. A section without a configuration is not a recipe.
///
/// # Panics
/// Panics if a table can't be read.
pub fn recipes(page: &str) -> Vec<Recipe> {
    let lines: Vec<&str> = page.lines().collect();
    let titles = (0..lines.len()).filter(|line| lines[*line].starts_with("## "));
    let starts: Vec<usize> = titles.chain([lines.len()]).collect();
    starts.windows(2).filter_map(|range| recipe(&lines[range[0]..range[1]], range[0] + 1)).collect()
}

/// Reads a section, whose first line has this number.
fn recipe(section: &[&str], first: usize) -> Option<Recipe> {
    let title = section[0].trim_start_matches('#').trim().to_owned();
    let begin = section.iter().position(|line| *line == "```json")? + 1;
    let end = begin + section[begin..].iter().position(|line| *line == "```").expect("the block ends");
    let configuration = serde_json::from_str(&section[begin..end].join("\n"));
    let configuration = configuration.unwrap_or_else(|error| panic!("{title}: {error}"));
    assert!(!section[end + 1..].contains(&"```json"), "{title}: a recipe has one configuration");
    let heading =
        section.iter().position(|line| line.starts_with("| request ")).unwrap_or_else(|| panic!("{title}: no table"));
    assert_eq!(cells(section[heading]), ["request", "token", "result", "headers"], "{title}");
    let rows = (heading + 2..section.len()).take_while(|line| section[*line].starts_with('|'));
    let rows: Vec<Row> = rows.map(|line| row(section[line], first + line)).collect();
    assert!(section[heading + 2 + rows.len()..].iter().all(|line| !line.starts_with('|')), "{title}: two tables");
    Some(Recipe { title, configuration, rows })
}

fn cells(line: &str) -> Vec<&str> {
    let inner = line.strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inner.unwrap_or_else(|| panic!("{line}: not a row")).split('|').map(str::trim).collect()
}

fn row(text: &str, line: usize) -> Row {
    let cells: [&str; 4] = cells(text).try_into().unwrap_or_else(|_| panic!("line {line}: four cells"));
    let [request, token, result, headers] = cells;
    let mut request = spans(request, line).into_iter();
    let target = request.next().unwrap_or_else(|| panic!("line {line}: no request"));
    let (method, url) = target.split_once(' ').unwrap_or_else(|| panic!("line {line}: METHOD URL"));
    let expected = spans(headers, line).into_iter().map(|span| match span.strip_prefix("no ") {
        Some(name) => Expected::Absent(name.to_owned()),
        None => {
            let (name, value) = field(&span, line);
            Expected::Is(name, value)
        }
    });
    Row {
        line,
        method: method.to_owned(),
        url: url.to_owned(),
        headers: request.map(|span| field(&span, line)).collect(),
        token: spans(token, line),
        result: result.replace('`', ""),
        expected: expected.collect(),
    }
}

fn field(text: &str, line: usize) -> (String, String) {
    let (name, value) = text.split_once(": ").unwrap_or_else(|| panic!("line {line}: {text:?} is not a header"));
    (name.to_owned(), value.to_owned())
}

/// Returns the code spans of a cell. Between them, there may only be commas, spaces and the word "and".
fn spans(cell: &str, line: usize) -> Vec<String> {
    let parts: Vec<&str> = cell.split('`').collect();
    assert!(parts.len() % 2 == 1, "line {line}: a code span does not end");
    let prose = parts.iter().step_by(2).map(|part| part.trim_matches([',', ' ']));
    let unknown: Vec<&str> = prose.filter(|part| !part.is_empty()).collect();
    assert!(unknown.is_empty(), "line {line}: {unknown:?} is outside of a code span");
    parts.into_iter().skip(1).step_by(2).map(str::to_owned).collect()
}
