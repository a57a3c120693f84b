//! Paths and the rules for them, from the words of the configuration's documentation.

use crate::reference::json::Tree;

/// The one spelling of a request target's path, if it has just one.
pub(crate) fn canonical(target: &str) -> Option<String> {
    let path = target.split('?').next()?;
    let mut decoded = String::new();
    let mut rest = path;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        decoded.push(match character {
            '%' => {
                let digits = rest.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
                rest = &rest[2..];
                let encoded = char::from(u8::from_str_radix(digits, 16).ok()?);
                Some(encoded).filter(|encoded| matches!(encoded, ' '..='~') && !"/\\;#%".contains(*encoded))?
            }
            plain => Some(plain).filter(|plain| matches!(plain, '!'..='~') && !"\\;#".contains(*plain))?,
        });
    }
    let segments: Vec<&str> = decoded.strip_prefix('/')?.split('/').collect();
    let (last, before) = segments.split_last()?;
    let is_dots = |segment: &&str| *segment == "." || *segment == "..";
    let is_ambiguous = before.iter().any(|segment| segment.is_empty() || is_dots(segment)) || is_dots(last);
    (!is_ambiguous).then_some(decoded)
}

/// The first of a configuration's routes that a canonical path and a method match.
pub(crate) fn route<'c>(config: &'c Tree, path: &str, method: &str) -> Option<&'c Tree> {
    let Some(Tree::Array(routes)) = config.get("routes") else { return None };
    let ignores_case = config.get("case_insensitive_paths") == Some(&Tree::Bool(true));
    let cased = |text: &str| if ignores_case { text.to_ascii_lowercase() } else { text.to_owned() };
    let path = cased(path);
    routes.iter().find(|route| {
        let stated = |name: &str| route.get(name).and_then(Tree::as_str).map(cased);
        let fits_path = stated("path").is_some_and(|stated| path == stated)
            || stated("prefix").is_some_and(|prefix| is_below(&path, &prefix))
            || stated("template").is_some_and(|template| fits(&path, &template));
        fits_path && fits_method(route, method)
    })
}

fn is_below(path: &str, prefix: &str) -> bool {
    let folder = if prefix.ends_with('/') { prefix.to_owned() } else { format!("{prefix}/") };
    path == prefix || path.starts_with(&folder)
}

fn fits(path: &str, template: &str) -> bool {
    let (path, template): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
    let fits = |(segment, stated): (&&str, &&str)| match stated.starts_with('{') {
        true => !segment.is_empty(),
        false => segment == stated,
    };
    path.len() == template.len() && path.iter().zip(&template).all(fits)
}

fn fits_method(route: &Tree, method: &str) -> bool {
    match route.get("methods") {
        Some(Tree::Array(methods)) => methods.is_empty() || methods.iter().any(|one| one.as_str() == Some(method)),
        _ => true,
    }
}
