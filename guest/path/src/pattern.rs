//! The paths that a rule applies to.

use alloc::{string::String, vec::Vec};
use core::fmt;

/// The paths that a rule applies to. A pattern is plain text: nothing in it is percent-encoded, and all readers interpret it in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Shape);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Exact(String),
    Below(String),
    /// `None` is a placeholder.
    Template(Vec<Option<String>>),
}

/// Why a text is not a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// The text has one of these errors:
    ///
    /// - It does not begin with a slash.
    /// - It has an empty, `.` or `..` segment. An empty segment is allowed at the end.
    /// - It has a character that is not printable ASCII, or that readers interpret differently: `%`, `\`, `;`, `?`, `#` or space.
    NotPlain,
    /// A template has a brace that does not enclose the name of a placeholder, or a placeholder that is not a whole segment.
    Placeholder,
}

impl fmt::Display for PatternError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotPlain => {
                "the path must begin with /, be percent-decoded ASCII, and have no empty, . or .. segment, no %, ?, #, ; or backslash"
            }
            Self::Placeholder => "a placeholder must be a whole segment: /users/{id}/orders",
        })
    }
}

impl core::error::Error for PatternError {}

/// How a path is compared with a pattern: what the reader ignores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// The case of ASCII letters.
    pub(crate) ignores_case: bool,
    /// One slash at the end of the path or of the pattern.
    pub(crate) ignores_slash: bool,
    /// A suffix of the path that begins with a dot.
    pub(crate) ignores_suffix: bool,
}

impl Pattern {
    /// Matches exactly this path.
    ///
    /// # Errors
    /// [`PatternError::NotPlain`].
    pub fn exact(path: &str) -> Result<Self, PatternError> {
        Ok(Self(Shape::Exact(plain(path)?.into())))
    }

    /// Matches this path and everything below it: `/api` matches `/api` and `/api/x`, but not `/apis`. `/api/` does not match `/api`.
    ///
    /// # Errors
    /// [`PatternError::NotPlain`].
    pub fn below(prefix: &str) -> Result<Self, PatternError> {
        Ok(Self(Shape::Below(plain(prefix)?.into())))
    }

    /// Matches a path with placeholders, each of which stands for one segment that is not empty: `/users/{id}/orders`.
    ///
    /// # Errors
    /// [`PatternError`].
    pub fn template(template: &str) -> Result<Self, PatternError> {
        let segment = |segment: &str| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) if !name.is_empty() && !name.contains(['{', '}']) => Ok(None),
                None if !segment.contains(['{', '}']) => Ok(Some(segment.into())),
                _ => Err(PatternError::Placeholder),
            }
        };
        Ok(Self(Shape::Template(plain(template)?.split('/').map(segment).collect::<Result<_, _>>()?)))
    }

    /// Returns a path that matches, with `placeholder` in place of each placeholder. For a prefix, it is the prefix.
    pub fn example(&self, placeholder: &str) -> String {
        match &self.0 {
            Shape::Exact(path) | Shape::Below(path) => path.clone(),
            Shape::Template(segments) => {
                let segments: Vec<&str> = segments.iter().map(|it| it.as_deref().unwrap_or(placeholder)).collect();
                segments.join("/")
            }
        }
    }

    /// Returns whether it matches every path that the other pattern matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Shape::Exact(_) | Shape::Template(_), Shape::Below(_)) => false,
            // A zero byte stands for a placeholder, because no pattern contains one.
            _ => self.matches(&other.example("\0"), Comparison::default()),
        }
    }

    pub(crate) fn has_capitals(&self) -> bool {
        let has_capitals = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
        match &self.0 {
            Shape::Exact(text) | Shape::Below(text) => has_capitals(text),
            Shape::Template(segments) => segments.iter().flatten().any(|text| has_capitals(text)),
        }
    }

    pub(crate) fn ends_in_slash(&self) -> bool {
        match &self.0 {
            Shape::Exact(text) | Shape::Below(text) => text.len() > 1 && text.ends_with('/'),
            Shape::Template(segments) => segments.last().is_some_and(|last| last.as_deref() == Some("")),
        }
    }

    /// Returns whether it matches a path, without decoding it.
    pub(crate) fn matches(&self, path: &str, by: Comparison) -> bool {
        if !by.ignores_suffix {
            return self.matches_whole(path, by);
        }
        let slash = if by.ignores_slash { path.len() - without_slash(path).len() } else { 0 };
        let path = path.get(..path.len() - slash).unwrap_or(path);
        let last = path.rfind('/').map_or(0, |slash| slash + 1);
        // A name that begins with a dot is not a suffix.
        let dot = |(at, character): (usize, char)| (character == '.' && at > last).then_some(at);
        let (first, second) = (path.char_indices().find_map(dot), path.char_indices().rev().find_map(dot));
        let without_suffix = |dot: Option<usize>| dot.and_then(|dot| path.get(..dot));
        self.matches_whole(path, by)
            || [first, second].into_iter().filter_map(without_suffix).any(|path| self.matches_whole(path, by))
    }

    fn matches_whole(&self, path: &str, by: Comparison) -> bool {
        let equal = |a: &str, b: &str| if by.ignores_case { a.eq_ignore_ascii_case(b) } else { a == b };
        let trim = |text| if by.ignores_slash { without_slash(text) } else { text };
        let path = trim(path);
        match &self.0 {
            Shape::Exact(exact) => equal(path, trim(exact)),
            Shape::Below(prefix) => {
                let prefix = trim(prefix);
                path.split_at_checked(prefix.len()).is_some_and(|(start, rest)| {
                    equal(start, prefix) && (rest.is_empty() || rest.starts_with('/') || prefix.ends_with('/'))
                })
            }
            Shape::Template(template) => {
                let template = match template.split_last() {
                    // `/` alone is two empty segments.
                    Some((last, rest)) if by.ignores_slash && last.as_deref() == Some("") && rest.len() > 1 => rest,
                    _ => template,
                };
                let mut segments = path.split('/');
                let fits = |expected: &Option<String>| match (expected, segments.next()) {
                    (Some(expected), Some(segment)) => equal(expected, segment),
                    (None, Some(segment)) => !segment.is_empty(),
                    (_, None) => false,
                };
                template.iter().all(fits) && segments.next().is_none()
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Shape::Exact(path) => write!(formatter, "path {path}"),
            Shape::Below(prefix) => write!(formatter, "prefix {prefix}"),
            Shape::Template(_) => write!(formatter, "template {}", self.example("{}")),
        }
    }
}

fn without_slash(path: &str) -> &str {
    match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() => rest,
        _ => path,
    }
}

fn plain(text: &str) -> Result<&str, PatternError> {
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7e) && !b"%\\;?#".contains(&byte);
    let Some(rest) = text.strip_prefix('/') else { return Err(PatternError::NotPlain) };
    let (before, last) = rest.rsplit_once('/').map_or((None, rest), |(before, last)| (Some(before), last));
    let is_dots = |segment: &str| matches!(segment, "." | "..");
    let mut before = before.into_iter().flat_map(|before| before.split('/'));
    match text.bytes().all(is_plain) && !is_dots(last) && before.all(|it| !it.is_empty() && !is_dots(it)) {
        true => Ok(text),
        false => Err(PatternError::NotPlain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Comparison = Comparison { ignores_case: false, ignores_slash: false, ignores_suffix: false };

    #[test]
    fn a_pattern_matches_whole_segments() {
        for (pattern, yes, no) in [
            (Pattern::exact("/a"), &["/a"][..], &["/a/", "/ab", "/", "/A"][..]),
            (Pattern::below("/api"), &["/api", "/api/", "/api/x/y"], &["/apis", "/ap", "/x/api", "/api.json"]),
            (Pattern::below("/api/"), &["/api/", "/api/x"], &["/api", "/apis"]),
            (Pattern::below("/"), &["/", "/a", "/a/b"], &[]),
            (
                Pattern::template("/users/{id}/orders"),
                &["/users/7/orders"],
                &["/users//orders", "/users/7", "/users/7/orders/1", "/users/7/8/orders"],
            ),
        ] {
            let pattern = pattern.unwrap();
            assert!(yes.iter().all(|path| pattern.matches(path, STRICT)), "{pattern}");
            assert!(!no.iter().any(|path| pattern.matches(path, STRICT)), "{pattern}");
        }
    }

    #[test]
    fn what_a_reader_ignores_is_not_compared() {
        let case = Comparison { ignores_case: true, ..STRICT };
        let slash = Comparison { ignores_slash: true, ..STRICT };
        let suffix = Comparison { ignores_suffix: true, ..STRICT };
        let all = Comparison { ignores_case: true, ignores_slash: true, ignores_suffix: true };
        for (by, pattern, yes, no) in [
            (case, Pattern::exact("/Admin"), &["/admin", "/ADMIN"][..], &["/admin/", "/admim"][..]),
            (case, Pattern::template("/u/{id}/O"), &["/U/7/o"], &["/u//o"]),
            (slash, Pattern::exact("/a"), &["/a", "/a/"], &["/a//", "/A/"]),
            (slash, Pattern::exact("/"), &["/"], &["/a"]),
            (slash, Pattern::below("/api/"), &["/api", "/api/", "/api/x"], &["/apis"]),
            (slash, Pattern::below("/"), &["/", "/a", "/a/"], &[]),
            (slash, Pattern::template("/u/{id}/"), &["/u/7", "/u/7/"], &["/u", "/u/"]),
            (suffix, Pattern::exact("/a"), &["/a", "/a.json", "/a.tar.gz"], &["/a.json/", "/ab.json"]),
            (suffix, Pattern::exact("/a.b"), &["/a.b", "/a.b.c"], &["/a.c", "/a"]),
            (suffix, Pattern::exact("/"), &["/"], &["/.json"]),
            (suffix, Pattern::below("/api"), &["/api.json", "/api/x.y"], &["/apis.json", "/api.json/x"]),
            (all, Pattern::below("/Api/"), &["/api.json", "/API.json/"], &["/apis"]),
        ] {
            let pattern = pattern.unwrap();
            for path in yes {
                assert!(pattern.matches(path, by), "{pattern} {path}");
            }
            for path in no {
                assert!(!pattern.matches(path, by), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn a_pattern_is_plain() {
        for text in [
            "",
            "a",
            "//",
            "/a//b",
            "/./a",
            "/a/..",
            "/..",
            "/a b",
            "/a%20",
            "/a;b",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/caf\u{e9}",
            "/a\n",
        ] {
            assert_eq!(Pattern::exact(text), Err(PatternError::NotPlain), "{text}");
        }
        for text in ["/a/{}", "/a/{b", "/a/b}", "/a/x{b}", "/a/{{b}}"] {
            assert_eq!(Pattern::template(text), Err(PatternError::Placeholder), "{text}");
        }
        for text in ["/", "/a/", "/.well-known/x", "/...", "/@a:b+c,d!$&'()*=~"] {
            assert!(Pattern::exact(text).is_ok(), "{text}");
        }
    }
}
