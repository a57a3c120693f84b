//! The path's one spelling.
//!
//! A proxy that reads `/public/..%2fadmin` otherwise than the application behind it lets strangers in. So a path that two readers could
//! take for two different ones is refused, and not repaired: RFC 3986 sections 3.3 and 6.2.2.

/// Why a path is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

/// The path of a request target without its query, percent-decoded once.
///
/// # Errors
/// [`Ambiguous`] for what is not absolute; for an empty, `.` or `..` segment (but for the empty one at the end); for a backslash, a
/// semicolon (matrix parameters), a number sign, a control or non-ASCII character; and for each of these, `/` and `%` percent-encoded.
pub fn canonical(target: &str) -> Result<String, Ambiguous> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let rest = path.strip_prefix('/').ok_or(Ambiguous)?;
    let mut decoded = String::with_capacity(path.len());
    let mut bytes = rest.bytes();
    decoded.push('/');
    while let Some(byte) = bytes.next() {
        let (byte, is_encoded) = match byte {
            b'%' => (encoded(bytes.next(), bytes.next()).ok_or(Ambiguous)?, true),
            byte => (byte, false),
        };
        let is_plain = match byte {
            b'/' => !is_encoded,
            b'\\' | b';' | b'#' | b'%' => false,
            byte => matches!(byte, 0x21..=0x7e) || (is_encoded && byte == b' '),
        };
        if !is_plain {
            return Err(Ambiguous);
        }
        decoded.push(char::from(byte));
    }
    let segments = decoded.split('/').skip(1);
    let last = segments.clone().count() - 1;
    let mut numbered = segments.enumerate();
    match numbered.any(|(number, segment)| matches!(segment, "." | "..") || (segment.is_empty() && number != last)) {
        true => Err(Ambiguous),
        false => Ok(decoded),
    }
}

fn encoded(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_passes() {
        for (target, path) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("/a?x=/../%2f;", "/a"),
            ("/%61dmin", "/admin"),
            ("/a%20b", "/a b"),
            ("/users/name@example.com", "/users/name@example.com"),
            ("/.well-known/x", "/.well-known/x"),
            ("/...", "/..."),
        ] {
            assert_eq!(canonical(target).as_deref(), Ok(path), "{target}");
        }
    }

    #[test]
    fn two_spellings_do_not() {
        for target in [
            "",
            "*",
            "a",
            "http://host/a",
            "//",
            "//admin",
            "/a//b",
            "/./a",
            "/a/.",
            "/a/..",
            "/public/../admin",
            "/public/%2e%2e/admin",
            "/public/.%2E/admin",
            "/public%2f..%2fadmin",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/a;x=1",
            "/public/..;/admin",
            "/a%3bx",
            "/a%00",
            "/a%0a",
            "/a\u{7f}",
            "/a%7f",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a%+1",
            "/a%2561",
            "/a#b",
            "/a%23b",
            "/caf\u{e9}",
            "/caf%c3%a9",
            "/a b",
        ] {
            assert_eq!(canonical(target), Err(Ambiguous), "{target}");
        }
    }
}
