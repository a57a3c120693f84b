//! Paths and rules, as docs/paths.md describes them: every reading of a path, and the rule that each chooses.

use crate::reference::{
    hosts::{self, Host},
    json::Tree,
};
use std::collections::BTreeSet;

/// All readings of a path.
#[derive(Debug)]
pub(crate) enum Ways {
    Malformed,
    All(BTreeSet<String>),
    /// There are more than the limit. These are some of them.
    TooMany(BTreeSet<String>),
}

/// The maximum number of readings.
const MOST: usize = 128;

/// Returns every reading of the path of a request target.
pub(crate) fn ways(target: &str) -> Ways {
    let path = target.split('?').next().unwrap_or_default();
    let sent = path.as_bytes();
    let is_escape = |at: usize| sent.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
    let is_path = path.starts_with('/')
        && !path.chars().any(|one| one.is_control() || one == ' ' || one == '#')
        && (0..sent.len()).all(|at| sent[at] != b'%' || is_escape(at));
    if !is_path {
        return Ways::Malformed;
    }
    let mut known = BTreeSet::from([path.to_owned()]);
    let mut new = vec![path.to_owned()];
    while let Some(path) = new.pop() {
        for reader in READERS {
            let Some(read) = reader(&path) else { return Ways::Malformed };
            if read.chars().any(char::is_control) {
                return Ways::Malformed;
            }
            if known.insert(read.clone()) {
                new.push(read);
            }
            if known.len() > MOST {
                return Ways::TooMany(known);
            }
        }
    }
    Ways::All(known)
}

type Reader = fn(&str) -> Option<String>;

/// None: it is not UTF-8.
const READERS: [Reader; 16] = [
    |path| unescaped(path, |_| true),
    |path| unescaped(path, |byte| byte != b'/'),
    |path| unescaped(path, |byte| byte == b'/' || byte == b'\\'),
    |path| unescaped(path, |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~')),
    |path| Some(with_wide_escapes_read(path)),
    |path| Some(resolved(path, |segment| segment.to_owned())),
    |path| Some(resolved(path, |segment| segment.replace("%2e", ".").replace("%2E", "."))),
    |path| Some(merged(path)),
    |path| Some(format!("/{}", path.trim_start_matches('/'))),
    |path| Some(path.replace('\\', "/")),
    |path| Some(path.split('/').map(|segment| cut(segment, ";")).collect::<Vec<_>>().join("/")),
    |path| Some(cut(path, ";").to_owned()),
    |path| Some(cut(cut(path, "?"), "#").to_owned()),
    |path| Some(without_host(path)),
    |path| {
        let (folder, last) = path.rsplit_once('/')?;
        Some(format!("{folder}/{}", cut(last, ";")))
    },
    // Dotless and dotted i, the long s and the Kelvin sign are ASCII letters in another case.
    |path| Some(path.replace(['\u{130}', '\u{131}'], "i").replace('\u{17f}', "s").replace('\u{212a}', "k")),
];

fn cut<'t>(text: &'t str, from: &str) -> &'t str {
    text.split(from).next().unwrap_or_default()
}

fn unescaped(path: &str, is_meant: fn(u8) -> bool) -> Option<String> {
    let bytes = path.as_bytes();
    let mut read = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = path.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|byte| is_meant(*byte)) {
            Some(byte) => {
                read.push(byte);
                at += 3;
            }
            None => {
                read.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(read).ok()
}

fn with_wide_escapes_read(path: &str) -> String {
    let mut read = String::new();
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let digits = rest.get(2..6).filter(|_| rest.starts_with("%u") || rest.starts_with("%U"));
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match digits.and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?)) {
            Some(wide) => {
                read.push(wide);
                rest = &rest[6..];
            }
            None => {
                read.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    read
}

/// Removes dot segments, with the algorithm of RFC 3986 section 5.2.4.
fn resolved(path: &str, as_read: fn(&str) -> String) -> String {
    let mut input: Vec<String> = path.split('/').skip(1).map(|segment| format!("/{segment}")).collect();
    input.reverse();
    let mut output: Vec<String> = Vec::new();
    while let Some(segment) = input.pop() {
        let is_last = input.is_empty();
        match as_read(&segment).as_str() {
            "/." if is_last => output.push("/".to_owned()),
            "/." => (),
            "/.." => {
                output.pop();
                if is_last {
                    output.push("/".to_owned());
                }
            }
            _ => output.push(segment),
        }
    }
    output.concat()
}

fn merged(path: &str) -> String {
    let mut path = path.to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    path
}

fn without_host(path: &str) -> String {
    match path.strip_prefix("//").map(|rest| rest.trim_start_matches('/').split_once('/')) {
        None => path.to_owned(),
        Some(None) => "/".to_owned(),
        Some(Some((_, rest))) => format!("/{rest}"),
    }
}

/// Returns every route of a configuration that a reading of the path, of the host and of the method chooses, with its effect. `None` is included
/// if no route matches a reading.
pub(crate) fn routes<'c>(
    config: &'c Tree,
    host: &Host,
    paths: &BTreeSet<String>,
    method: &str,
) -> Vec<Option<&'c Tree>> {
    let Some(Tree::Array(routes)) = config.get("routes") else { return vec![None] };
    let reports_all = config.get("report_only") == Some(&Tree::Bool(true));
    let mut chosen: Vec<Option<&Tree>> = Vec::new();
    let methods = [method.to_owned(), method.to_ascii_uppercase()];
    for path in paths {
        for looseness in 0..8_u8 {
            for method in &methods {
                let fits = |route: &Tree| fits_method(route, method) && fits_loosely(route, path, looseness);
                let fitting: Vec<(usize, &Tree)> = routes.iter().enumerate().filter(|(_, route)| fits(route)).collect();
                for host in hosts::readings(host, config) {
                    let is_it = |(number, route): &&(usize, &Tree)| hosts::is_for(route, *number, host);
                    let route = fitting.iter().find(is_it).map(|(_, route)| *route);
                    if !chosen.iter().any(|known| same_effect(*known, route, reports_all)) {
                        chosen.push(route);
                    }
                }
            }
        }
    }
    chosen
}

fn same_effect(one: Option<&Tree>, other: Option<&Tree>, reports_all: bool) -> bool {
    let effect = |route: &Tree| {
        let list = |name: &str| route.get(name).filter(|list| **list != Tree::Null).cloned();
        let is = |name: &str| route.get(name) == Some(&Tree::Bool(true));
        (list("any_of"), list("all_of"), is("public"), is("optional"), reports_all || is("report_only"))
    };
    one.map(effect) == other.map(effect)
}

/// The comparison: bit 0 ignores case, bit 1 a slash at the end, bit 2 a suffix of the path.
fn fits_loosely(route: &Tree, path: &str, looseness: u8) -> bool {
    let cased = |text: &str| if looseness & 1 == 0 { text.to_owned() } else { text.to_ascii_lowercase() };
    let trimmed = |text: String| match text.strip_suffix('/') {
        Some(rest) if looseness & 2 != 0 && !rest.is_empty() => rest.to_owned(),
        _ => text,
    };
    let path = trimmed(cased(path));
    let mut paths = vec![path.clone()];
    if looseness & 4 != 0 {
        let (folder, last) = path.rsplit_once('/').unwrap_or(("", &path));
        let dots = last.char_indices().skip(1).filter(|(_, one)| *one == '.').map(|(at, _)| at);
        let dots: Vec<usize> = dots.collect();
        let ends = [dots.first(), dots.last()];
        paths.extend(ends.into_iter().flatten().map(|dot| format!("{folder}/{}", &last[..*dot])));
    }
    paths.into_iter().any(|path| {
        let member = |name: &str| route.get(name).and_then(Tree::as_str).map(|text| trimmed(cased(text)));
        member("path").is_some_and(|member| path == member)
            || member("prefix").is_some_and(|prefix| is_below(&path, &prefix))
            || member("template").is_some_and(|template| fits(&path, &template))
    })
}

fn is_below(path: &str, prefix: &str) -> bool {
    let folder = if prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
    path == prefix || path.starts_with(&folder)
}

fn fits(path: &str, template: &str) -> bool {
    let (path, template): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
    let fits = |(segment, member): (&&str, &&str)| match member.starts_with('{') {
        true => !segment.is_empty(),
        false => segment == member,
    };
    path.len() == template.len() && path.iter().zip(&template).all(fits)
}

fn fits_method(route: &Tree, method: &str) -> bool {
    match route.get("methods") {
        Some(Tree::Array(methods)) => {
            let is_it = |name: &str| methods.iter().any(|one| one.as_str() == Some(name));
            is_it(method) || (method == "HEAD" && is_it("GET"))
        }
        _ => true,
    }
}
