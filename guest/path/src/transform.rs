//! The transformations that readers apply to a path. docs/paths.md names the readers of each.
//!
//! Each transformation returns `None` if it changes nothing.

use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

/// Readers reject the path, or each corrects it in a different way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

type Transformed = Result<Option<String>, Malformed>;

/// All transformations.
pub(crate) const ALL: [fn(&str) -> Transformed; 16] = [
    |path| decoded(path, |_| true),
    |path| decoded(path, |byte| byte != b'/'),
    |path| decoded(path, |byte| matches!(byte, b'/' | b'\\')),
    // RFC 3986 section 6.2.2.2.
    |path| decoded(path, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
    decoded_utf16,
    |path| Ok(without_dot_segments(path, false)),
    |path| Ok(without_dot_segments(path, true)),
    |path| Ok(merged(path)),
    |path| Ok(merged_at_start(path)),
    |path| Ok(path.contains('\\').then(|| path.replace('\\', "/"))),
    |path| Ok(without_parameters(path)),
    |path| Ok(before(path, &[';'])),
    |path| Ok(before(path, &['?', '#'])),
    |path| Ok(without_authority(path)),
    |path| Ok(without_last_parameters(path)),
    |path| Ok(with_ascii_letters(path)),
];

/// Returns whether no transformation changes a path. This is so for almost every path.
pub(crate) fn is_plain(path: &str) -> bool {
    let mut segment = 0_usize;
    let mut is_dots = true;
    for byte in path.bytes().skip(1) {
        match byte {
            b'%' | b'\\' | b';' | b'?' | b'#' | 0x80.. => return false,
            b'/' => {
                if segment == 0 || (is_dots && segment <= 2) {
                    return false;
                }
                (segment, is_dots) = (0, true);
            }
            byte => {
                segment += 1;
                is_dots &= byte == b'.';
            }
        }
    }
    !(is_dots && (1..=2).contains(&segment))
}

/// Checks a path as it was sent: RFC 3986 section 3.3, and also characters that are not ASCII, which some clients send without encoding.
pub(crate) fn check_sent(path: &str) -> Result<(), Malformed> {
    if !path.starts_with('/') || path.contains([' ', '#']) {
        return Err(Malformed);
    }
    check_text(path)?;
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('%') {
        hex(after.as_bytes(), 2).ok_or(Malformed)?;
        rest = after;
    }
    Ok(())
}

fn check_text(path: &str) -> Result<(), Malformed> {
    // Most paths are ASCII, for which checking bytes is faster.
    let is_control = match path.is_ascii() {
        true => path.bytes().any(|byte| byte.is_ascii_control()),
        false => path.chars().any(char::is_control),
    };
    if is_control { Err(Malformed) } else { Ok(()) }
}

/// Returns the number that the first `digits` hexadecimal digits represent.
fn hex(bytes: &[u8], digits: usize) -> Option<u32> {
    bytes.get(..digits)?.iter().try_fold(0, |number, byte| Some(number << 4 | char::from(*byte).to_digit(16)?))
}

/// Percent-decodes a path once, but only the bytes that `is_meant` selects. A `%` that is not an encoding stays: it is the result of an earlier
/// decoding.
fn decoded(path: &str, is_meant: fn(u8) -> bool) -> Transformed {
    let mut bytes: Vec<u8> = Vec::new();
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        let byte = from.as_bytes().get(1..).and_then(|digits| hex(digits, 2)).and_then(|byte| u8::try_from(byte).ok());
        bytes.extend_from_slice(before.as_bytes());
        let taken = match byte {
            Some(byte) if is_meant(byte) => {
                bytes.push(byte);
                3
            }
            _ => {
                bytes.push(b'%');
                1
            }
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    if bytes.len() + rest.len() == path.len() {
        return Ok(None);
    }
    bytes.extend_from_slice(rest.as_bytes());
    let text = String::from_utf8(bytes).map_err(|_| Malformed)?;
    check_text(&text)?;
    Ok(Some(text))
}

/// Decodes `%u0061`, which Microsoft's servers accept. No RFC defines it.
fn decoded_utf16(path: &str) -> Transformed {
    let mut text = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let digits = from.as_bytes().get(2..).filter(|_| from.starts_with("%u") || from.starts_with("%U"));
        let taken = match digits.and_then(|digits| hex(digits, 4)).and_then(char::from_u32) {
            Some(character) => {
                text.push(character);
                6
            }
            None => {
                text.push('%');
                1
            }
        };
        rest = from.get(taken..).unwrap_or_default();
    }
    if text.len() + rest.len() == path.len() {
        return Ok(None);
    }
    text.push_str(rest);
    check_text(&text)?;
    Ok(Some(text))
}

/// Removes dot segments (RFC 3986 section 5.2.4). Some readers treat `%2e` as a dot (WHATWG URL, "double-dot URL path segment").
fn without_dot_segments(path: &str, knows_encoded_dots: bool) -> Option<String> {
    let dots = |segment: &str| {
        let (mut rest, mut count) = (segment, 0_usize);
        while !rest.is_empty() {
            let encoded = rest.get(..3).filter(|start| knows_encoded_dots && start.eq_ignore_ascii_case("%2e"));
            rest = encoded.and_then(|_| rest.get(3..)).or_else(|| rest.strip_prefix('.'))?;
            count += 1;
        }
        (1..=2).contains(&count).then_some(count)
    };
    let segments = path.split('/').skip(1);
    if !segments.clone().any(|segment| dots(segment).is_some()) {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_dots = false;
    for segment in segments {
        let count = dots(segment);
        ends_in_dots = count.is_some();
        match count {
            None => kept.push(segment),
            Some(2) => drop(kept.pop()),
            Some(_) => (),
        }
    }
    let slash = if ends_in_dots && !kept.is_empty() { "/" } else { "" };
    Some(format!("/{}{slash}", kept.join("/")))
}

fn merged(path: &str) -> Option<String> {
    let mut previous = None;
    path.contains("//").then(|| {
        let is_first = |character: &char| previous.replace(*character) != Some('/') || *character != '/';
        path.chars().filter(is_first).collect()
    })
}

fn merged_at_start(path: &str) -> Option<String> {
    path.starts_with("//").then(|| format!("/{}", path.trim_start_matches('/')))
}

/// Removes matrix parameters: `/a;x/b;y` becomes `/a/b`.
fn without_parameters(path: &str) -> Option<String> {
    path.contains(';').then(|| {
        let names: Vec<&str> = path.split('/').filter_map(|segment| segment.split(';').next()).collect();
        names.join("/")
    })
}

/// Removes the parameters of the last segment: `/a;x/b;y` becomes `/a;x/b` (RFC 1808 section 2.4.5).
fn without_last_parameters(path: &str) -> Option<String> {
    let last = path.rfind('/')?;
    let parameters = path.get(last..)?.find(';')?;
    path.get(..last + parameters).map(ToOwned::to_owned)
}

fn before(path: &str, ends: &[char]) -> Option<String> {
    path.split_once(ends).map(|(path, _)| path.to_owned())
}

/// Removes the authority of a reference without a scheme: `//host/path` becomes `/path` (RFC 3986 section 4.2), with any number of slashes at
/// the start (WHATWG URL).
fn without_authority(path: &str) -> Option<String> {
    let rest = path.strip_prefix("//")?.trim_start_matches('/');
    Some(rest.find('/').and_then(|path| rest.get(path..)).unwrap_or("/").to_owned())
}

/// Replaces the four letters that are an ASCII letter in another case (simple case mappings, Unicode standard section 4.2). For a reader that
/// ignores case by Unicode's rules, such as Python's `re`, `adm\u{131}n` is `admin`.
fn with_ascii_letters(path: &str) -> Option<String> {
    let ascii = |letter| match letter {
        '\u{130}' | '\u{131}' => 'i',
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other,
    };
    let is_changed = !path.is_ascii() && path.chars().any(|letter| ascii(letter) != letter);
    is_changed.then(|| path.chars().map(ascii).collect())
}
