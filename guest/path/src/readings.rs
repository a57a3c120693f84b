//! All readings of a path.
//!
//! A reader applies one or several transformations (see the module `transform`), and a path passes several readers: proxies that rewrite it, a
//! server, a router. So the readings are the closure of the path under all transformations, in every order.

use crate::transform::{self, Malformed};
use alloc::{borrow::ToOwned, string::String, vec::Vec};

/// The maximum number of readings of one path.
pub(crate) const MOST: usize = 128;

/// The maximum number of bytes that are transformed for one path, in all readings together.
pub(crate) const MOST_BYTES: usize = 256 * 1024;

/// Why the readings of a path do not lead to one result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Malformed,
    TooMany,
    /// A reading chooses another rule than the first reading.
    Differs(Option<usize>),
}

impl From<Malformed> for Unreadable {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Calls `visit` for every reading of a path, first for the path as it was sent.
pub(crate) fn each(path: &str, visit: &mut dyn FnMut(&str) -> Result<(), Unreadable>) -> Result<(), Unreadable> {
    transform::check_sent(path)?;
    visit(path)?;
    if transform::is_plain(path) {
        return Ok(());
    }
    let mut readings: Vec<String> = Vec::from([path.to_owned()]);
    let mut bytes = 0_usize;
    let mut number = 0;
    while let Some(reading) = readings.get(number).cloned() {
        for transform in transform::ALL {
            let Some(other) = transform(&reading)? else { continue };
            bytes = bytes.saturating_add(reading.len());
            if readings.contains(&other) {
                continue;
            }
            if readings.len() >= MOST || bytes > MOST_BYTES {
                return Err(Unreadable::TooMany);
            }
            visit(&other)?;
            readings.push(other);
        }
        number += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, format};

    fn readings(path: &str) -> Result<BTreeSet<String>, Unreadable> {
        let mut all = BTreeSet::new();
        each(path, &mut |reading| {
            all.insert(reading.to_owned());
            Ok(())
        })
        .map(|()| all)
    }

    #[test]
    fn a_plain_path_has_one_reading() {
        for path in ["/", "/a/b", "/a/b/", "/.well-known/x", "/...", "/a.b/@c:d+e,f!$&'()*=~[]", "/caf\u{e9}"] {
            assert_eq!(readings(path), Ok(BTreeSet::from([path.to_owned()])), "{path}");
        }
    }

    #[test]
    fn every_reading_is_found() {
        for (path, expected) in [
            ("/%61dmin", &["/admin"][..]),
            ("/%2561dmin", &["/%61dmin", "/admin"]),
            ("/%25u0061dmin", &["/%u0061dmin", "/admin"]),
            ("/a%2Fb%20c", &["/a/b c", "/a%2Fb c", "/a/b%20c"]),
            ("/x/../a", &["/a"]),
            ("/x/%2e%2E/a", &["/x/../a", "/a"]),
            ("/x/.%2e/%61", &["/x/../a", "/%61", "/a"]),
            ("/x%2f..%2fa", &["/x/../a", "/a"]),
            ("/x%5c..%5ca", &["/x\\..\\a", "/x/../a", "/a"]),
            ("/x/..;/a", &["/x/../a", "/a", "/x/.."]),
            ("/x/..%3b/a", &["/x/..;/a", "/x/../a", "/a"]),
            ("/a;x=1/b;y", &["/a/b", "/a"]),
            ("/a//b", &["/a/b"]),
            ("//a//b", &["/a/b", "/a//b", "//b"]),
            ("//a/b", &["/a/b", "/b"]),
            ("/\\a/b", &["//a/b", "/b"]),
            ("/a%3fb", &["/a?b", "/a"]),
            ("/a%23b", &["/a#b", "/a"]),
            ("/a/./b/.", &["/a/b/"]),
            ("/../..", &["/"]),
            ("/files/caf%C3%A9.pdf", &["/files/caf\u{e9}.pdf"]),
            ("/100%25", &["/100%"]),
            ("/adm%C4%B1n", &["/adm\u{131}n", "/admin"]),
            ("/\u{212a}ey\u{17f}", &["/keys"]),
        ] {
            let found = readings(path).unwrap();
            for reading in expected {
                assert!(found.contains(*reading), "{path}: {reading} is not in {found:?}");
            }
        }
    }

    #[test]
    fn what_no_two_readers_agree_on_is_malformed() {
        for path in [
            "",
            "*",
            "a",
            "http://host/a",
            "/a%00",
            "/a%0a",
            "/a%7f",
            "/a\u{7f}",
            "/a\u{85}",
            "/a%c2%85",
            "/a b",
            "/a#b",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a%+1",
            "/a%u0061",
            "/a%ff",
            "/a%c0%af",
            "/a%e9",
            "/a%2500",
            "/a%25ff",
            "/a%25u0000",
        ] {
            assert_eq!(readings(path), Err(Unreadable::Malformed), "{path}");
        }
    }

    #[test]
    fn the_work_is_bounded() {
        let nested = format!("/%{}41", "25".repeat(1_000));
        assert_eq!(readings(&nested).map(|all| all.len()), Err(Unreadable::TooMany));
        let mixed = "/a;b//%2e%2e/%252f;x/..\\%5c..;/%3f%23%2561".repeat(40);
        assert_eq!(readings(&mixed).map(|all| all.len()), Err(Unreadable::TooMany));
        let long = format!("/{}%20", "a".repeat(60_000));
        assert_eq!(readings(&long).map(|all| all.len()), Ok(2));
    }
}
