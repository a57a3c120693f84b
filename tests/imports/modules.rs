//! The modules of a crate have no import cycles: no module imports, directly or indirectly, from a module that imports from it.
//!
//! A module that imports a name depends on the module that defines the name, even if it imports a re-export. Re-exports and declarations
//! (`pub use`, `mod`) do not count as dependencies.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use syn::{Item, UseTree, Visibility, visit::Visit};

/// The folders of the crates, with the root file of each crate.
const CRATES: [&str; 10] = [
    "guest/rsa/src/lib.rs",
    "guest/path/src/lib.rs",
    "guest/revocations/src/lib.rs",
    "guest/core/src/lib.rs",
    "guest/component/src/lib.rs",
    "guest/edge/src/lib.rs",
    "guest/proxy-wasm/src/lib.rs",
    "guest/http/src/lib.rs",
    "host/src/lib.rs",
    "host/src/main.rs",
];

/// A path of names from the crate's root; the root itself is empty.
type ModulePath = Vec<String>;

#[derive(Default)]
struct Module {
    children: BTreeSet<String>,
    /// Names that are re-exported from elsewhere, and the path from which.
    re_exports: BTreeMap<String, Vec<String>>,
    /// Paths from which everything is re-exported.
    globs: Vec<Vec<String>>,
    /// What the code names.
    uses: BTreeSet<Vec<String>>,
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let mut circles = Vec::new();
    for root in CRATES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(root);
        let mut modules = BTreeMap::new();
        read(&path, path.parent().expect("a folder"), Vec::new(), &mut modules);
        assert!(modules.len() > 3, "{root}: only {} modules were read", modules.len());
        let arrows = arrows(&modules);
        circles.extend(arrows.keys().filter_map(|from| {
            // Each circle is reported once, from its first module.
            let path = shortest_circle(&arrows, from)?;
            (path.iter().min() == Some(from)).then(|| format!("{root}: {}", named(&path)))
        }));
    }
    assert!(circles.is_empty(), "circles of imports:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("the file is written");
    write("lib.rs", "mod a; mod b; mod c; pub use c::Third;");
    write("a.rs", "use crate::b::Second; pub struct First(Second);");
    write("b.rs", "pub struct Second; fn third(it: crate::Third) {}");
    write("c.rs", "pub struct Third; fn back() { super::a::First; }");
    let mut modules = BTreeMap::new();
    read(&folder.path().join("lib.rs"), folder.path(), Vec::new(), &mut modules);
    let arrows = arrows(&modules);
    let circle = shortest_circle(&arrows, &vec!["a".to_owned()]).expect("a circle through a re-export");
    assert_eq!(named(&circle), "a -> b -> c -> a");
}

/// Reads a module and, below it, its children.
fn read(file: &Path, folder: &Path, at: ModulePath, modules: &mut BTreeMap<ModulePath, Module>) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let syntax = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    read_items(&syntax.items, file, folder, at, modules);
}

fn read_items(items: &[Item], file: &Path, folder: &Path, at: ModulePath, modules: &mut BTreeMap<ModulePath, Module>) {
    let mut module = Module::default();
    for item in items.iter().filter(|item| !is_for_tests(item)) {
        match item {
            Item::Mod(child) => {
                let name = child.ident.to_string();
                module.children.insert(name.clone());
                let path = [&at[..], std::slice::from_ref(&name)].concat();
                match &child.content {
                    Some((_, items)) => read_items(items, file, &folder.join(&name), path, modules),
                    None => {
                        let elsewhere = elsewhere(child).map(|path| file.with_file_name(path));
                        let usual = [folder.join(format!("{name}.rs")), folder.join(&name).join("mod.rs")];
                        let found = elsewhere.into_iter().chain(usual).find(|file| file.is_file());
                        let found = found.unwrap_or_else(|| panic!("{}: mod {name} has no file", file.display()));
                        read(&found, &folder.join(&name), path, modules);
                    }
                }
            }
            Item::Use(item) => {
                let mut leaves = Vec::new();
                flatten(&item.tree, Vec::new(), &mut leaves);
                let is_public = !matches!(item.vis, Visibility::Inherited);
                for (path, name) in leaves {
                    match (is_public, name) {
                        (true, Some(name)) => drop(module.re_exports.insert(name, path)),
                        (true, None) => module.globs.push(path),
                        (false, _) => drop(module.uses.insert(path)),
                    }
                }
            }
            other => Paths(&mut module.uses).visit_item(other),
        }
    }
    modules.insert(at, module);
}

/// The file of `#[path = "…"]`.
fn elsewhere(module: &syn::ItemMod) -> Option<String> {
    module.attrs.iter().find_map(|attribute| match &attribute.meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(path), .. }) => Some(path.value()),
            _ => None,
        },
        _ => None,
    })
}

fn is_for_tests(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        matches!(&attribute.meta, syn::Meta::List(list) if list.path.is_ident("cfg") && ["test", "doctest"].contains(&list.tokens.to_string().as_str()))
    })
}

/// The paths of a `use`, each with the name that it brings; None for a glob.
fn flatten(tree: &UseTree, mut path: Vec<String>, leaves: &mut Vec<(Vec<String>, Option<String>)>) {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            flatten(&part.tree, path, leaves);
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, path.clone(), leaves)),
        UseTree::Glob(_) => leaves.push((path, None)),
        UseTree::Name(name) if name.ident == "self" => leaves.push((path.clone(), path.last().cloned())),
        UseTree::Name(name) => {
            path.push(name.ident.to_string());
            leaves.push((path, Some(name.ident.to_string())));
        }
        UseTree::Rename(rename) => {
            path.push(rename.ident.to_string());
            leaves.push((path, Some(rename.rename.to_string())));
        }
    }
}

/// Collects the paths in code.
struct Paths<'a>(&'a mut BTreeSet<Vec<String>>);

impl Visit<'_> for Paths<'_> {
    fn visit_path(&mut self, path: &syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.0.insert(names);
        }
        syn::visit::visit_path(self, path);
    }
}

type Arrows = BTreeMap<ModulePath, BTreeSet<ModulePath>>;

fn arrows(modules: &BTreeMap<ModulePath, Module>) -> Arrows {
    let arrow = |(at, module): (&ModulePath, &Module)| {
        let targets = module.uses.iter().filter_map(|path| defining(modules, at, path, 0));
        (at.clone(), targets.filter(|target| target != at).collect())
    };
    modules.iter().map(arrow).collect()
}

/// The module that defines what a path names, seen from a module; None where that is another crate.
fn defining(
    modules: &BTreeMap<ModulePath, Module>,
    at: &ModulePath,
    path: &[String],
    depth: usize,
) -> Option<ModulePath> {
    assert!(depth < 20, "{path:?} is re-exported in a circle");
    let (mut here, mut rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (at.clone(), &path[1..]),
        "super" => (at[..at.len().checked_sub(1)?].to_vec(), &path[1..]),
        name if modules[at].children.contains(name) => (at.clone(), path),
        // A name of another crate, or one that a `use` has brought and that counts there.
        _ => return None,
    };
    while let Some(name) = rest.first() {
        if name == "super" {
            here.pop()?;
        } else if modules[&here].children.contains(name) {
            here.push(name.clone());
        } else {
            break;
        }
        rest = &rest[1..];
    }
    let Some(name) = rest.first() else { return Some(here) };
    let module = &modules[&here];
    if let Some(origin) = module.re_exports.get(name) {
        let origin = [origin, &rest[1..]].concat();
        // A re-export of another crate's name is this module's own.
        return Some(defining(modules, &here, &origin, depth + 1).unwrap_or(here));
    }
    Some(here)
}

fn shortest_circle(arrows: &Arrows, from: &ModulePath) -> Option<Vec<ModulePath>> {
    let mut reached: BTreeMap<&ModulePath, &ModulePath> = BTreeMap::new();
    let mut border = vec![from];
    while !border.is_empty() {
        let mut next = Vec::new();
        for at in border {
            for target in &arrows[at] {
                if target == from {
                    let mut circle = vec![from.clone(), at.clone()];
                    let mut step = at;
                    while step != from {
                        step = reached[step];
                        circle.push(step.clone());
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if !reached.contains_key(target) {
                    reached.insert(target, at);
                    next.push(target);
                }
            }
        }
        border = next;
    }
    None
}

fn named(circle: &[ModulePath]) -> String {
    let name = |path: &ModulePath| if path.is_empty() { "(the root)".to_owned() } else { path.join("::") };
    circle.iter().map(name).collect::<Vec<_>>().join(" -> ")
}
