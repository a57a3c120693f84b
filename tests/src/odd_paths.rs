//! Ambiguous paths: spellings that some server treats as another path.

/// Returns every known spelling that some server treats as a path of one plain segment, such as `/admin`, or as a path below it.
pub fn spellings_of(path: &str) -> Vec<String> {
    let name = path.trim_start_matches('/');
    let (first, rest) = name.split_at(1);
    let code = format!("{:02x}", first.as_bytes().first().copied().unwrap_or_default());
    let upper = name.to_uppercase();
    let mut all = vec![
        // Percent-encoding once, twice and three times, and Microsoft's form.
        format!("/%{code}{rest}"),
        format!("/%25{code}{rest}"),
        format!("/%2525{code}{rest}"),
        format!("/%25u00{code}{rest}"),
        // Upper and lower case.
        format!("/{upper}"),
        format!("/{}{rest}", first.to_uppercase()),
        // Dotless and dotted i, the long s and the Kelvin sign, in UTF-8. In another case, they are ASCII letters.
        format!("/{}", name.replace('i', "%C4%B1").replace('s', "%C5%BF").replace('k', "%E2%84%AA")),
        format!("/{}/x", name.replace('i', "%c4%b0")),
        // A final slash and a suffix.
        format!("/{name}/"),
        format!("/{name}//"),
        format!("/{name}.json"),
        format!("/{name}%2f"),
        format!("/{name}%5c"),
        format!("/{name}%252f"),
        // Matrix parameters.
        format!("/{name};"),
        format!("/{name};a=b"),
        format!("/{name}%3ba=b"),
        format!("/{name};a=b/x"),
        format!("/;/{name}"),
        format!("/;a/{name}"),
        format!("/%3b/{name}"),
        // Characters that end a path.
        format!("/{name}%3f"),
        format!("/{name}%23"),
        format!("/{name}%3fx/y"),
    ];
    // Slashes and prefixes.
    for before in [
        "/",
        "//",
        "/.",
        "/./.",
        "/%2e",
        "/%252e",
        "/x/..",
        "/x/../.",
        "/x//..",
        "/x/%2e%2e",
        "/x/.%2e",
        "/x/%2E.",
        "/x%2f..",
        "/x/..%2f",
        "/x/..%5c",
        "/x\\..\\",
        "/x%5c..%5c",
        "/x/..;",
        "/x/..;a=b",
        "/x/..%3b",
        "/x;/..",
        "/%2f",
        "/%5c",
        "/\\",
        "\\",
        "/x/%252e%252e",
        "/x/..%252f",
        "/x/%252e%252e%252f",
        "//host",
        "//host:80",
        "/\\host",
        "/x/y/../..",
        "/../..",
        "/..",
    ] {
        all.push(format!("{before}/{name}"));
        all.push(format!("{before}/{name}/x"));
        all.push(format!("{before}{path}"));
    }
    // Dot segments that lead from another path into this one.
    for between in ["/..", "/%2e%2e", "/..;", "%2f..", "\\..", "/.%2e", "/%252e%252e"] {
        all.push(format!("/public{between}/{name}"));
        all.push(format!("/public/x{between}{between}/{name}/x"));
        all.push(format!("{path}{between}/x"));
        all.push(format!("{path}/x{between}{between}/y"));
    }
    all.sort();
    all.dedup();
    all
}
