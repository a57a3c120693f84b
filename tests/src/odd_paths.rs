//! Spellings of a path that some reader takes for another one.

/// Every spelling of a path of one plain segment, such as `/admin`, and of what is below it, that we know some reader to understand.
pub fn spellings_of(path: &str) -> Vec<String> {
    let name = path.trim_start_matches('/');
    let (first, rest) = name.split_at(1);
    let code = format!("{:02x}", first.as_bytes().first().copied().unwrap_or_default());
    let upper = name.to_uppercase();
    let mut all = vec![
        // Percent-encoded once, twice, three times; Microsoft's form.
        format!("/%{code}{rest}"),
        format!("/%25{code}{rest}"),
        format!("/%2525{code}{rest}"),
        format!("/%25u00{code}{rest}"),
        // Case.
        format!("/{upper}"),
        format!("/{}{rest}", first.to_uppercase()),
        // Dotless and dotted i, the long s and the Kelvin sign, in UTF-8: letters of ASCII in another case.
        format!("/{}", name.replace('i', "%C4%B1").replace('s', "%C5%BF").replace('k', "%E2%84%AA")),
        format!("/{}/x", name.replace('i', "%c4%b0")),
        // A slash and a suffix at the end.
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
        // What ends a path.
        format!("/{name}%3f"),
        format!("/{name}%23"),
        format!("/{name}%3fx/y"),
    ];
    // Slashes, and what stands before.
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
    // From another place into it, as readers without dot segments would not see it.
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
