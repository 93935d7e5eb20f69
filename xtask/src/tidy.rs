//! Checks what no lint can: which crates may depend on which, which modules may use which, and the size of the files.
//!
//! Reads the sources as text and understands just enough of it: comments and `use` trees. Never builds anything.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Folders with sources.
const SOURCES: [&str; 4] = ["plugin", "models", "xtask", "tests"];

/// A file covers one idea; a longer one covers two.
const MAX_LINES: usize = 450;

/// Which crates of the workspace a crate may depend on, besides in its tests. What is not a dependency does not compile.
const CRATES: [(&str, &[&str]); 13] = [
    ("models/core", &[]),
    ("models/files", &["core"]),
    ("models", &["core", "files"]),
    ("models/gpu", &["models"]),
    ("models/gpu/stand-in", &["models"]),
    ("plugin/engine", &["core"]),
    ("plugin/offline", &["core", "engine", "files"]),
    ("plugin", &["core", "engine", "files", "models", "offline"]),
    (
        "models/lab",
        &[
            "core", "engine", "files", "lockstep", "models", "offline", "screen",
        ],
    ),
    (
        "plugin/app",
        &[
            "core", "engine", "files", "lab", "lockstep", "models", "offline",
        ],
    ),
    ("tests/screen", &[]),
    ("tests", &["screen"]),
    ("xtask", &["screen"]),
];

/// Which crates may depend on a library: what has to stay in one place.
const LIBRARIES: [(&str, &[&str]); 4] = [
    ("candle-core", &["models", "models/lab"]),
    ("clap", &["models/lab", "plugin/app", "tests", "xtask"]),
    ("egui", &["plugin"]),
    ("nice-plug", &["plugin", "plugin/app"]),
];

/// Paths that a module and its submodules must not name, within a crate.
const FORBIDDEN: [(&str, &[&str]); 6] = [
    (
        "models/core/src/representation",
        &["crate::draws", "crate::generator", "crate::rule"],
    ),
    ("models/src/network", &["crate::predict", "crate::weights"]),
    ("models/src/weights", &["crate::predict"]),
    (
        "models/lab/src/corpus",
        &["candle_core", "crate::evaluation", "crate::training"],
    ),
    (
        "plugin/engine/src/realtime",
        &[
            "crate::channel",
            "crate::handoff",
            "crate::shared_thread",
            "crate::snapshots",
            "crate::synth",
        ],
    ),
    (
        "plugin/engine/src/synth",
        &["crate::handoff", "crate::realtime", "crate::snapshots"],
    ),
];

/// Checks the workspace.
///
/// # Errors
/// Lists every fault, one per line.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let mut faults = Vec::new();
    for folder in SOURCES {
        for file in files_below(&root.join(folder))? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            let name = file
                .strip_prefix(root)?
                .to_string_lossy()
                .replace('\\', "/");
            faults.extend(
                faults_of(&name, &text)
                    .into_iter()
                    .map(|fault| format!("{name}: {fault}")),
            );
        }
    }
    anyhow::ensure!(faults.is_empty(), "\n{}", faults.join("\n"));
    Ok(())
}

/// Every source file and manifest in a folder and those below it, sorted.
fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("listing {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                || path.ends_with("Cargo.toml")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What is wrong with a file, by its path from the root and its text.
fn faults_of(name: &str, text: &str) -> Vec<String> {
    if let Some(folder) = name.strip_suffix("/Cargo.toml") {
        return manifest_faults(folder, text);
    }

    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push("does not open with `//!`: say what it is and what it is not".to_owned());
    }
    let n_lines = text.lines().count();
    if n_lines > MAX_LINES {
        faults.push(format!("has {n_lines} lines, more than {MAX_LINES}"));
    }

    let code = without_comments(text);
    let paths = used_paths(&code);
    let names = |forbidden: &str| {
        paths.iter().any(|path| is_below(path, forbidden)) || mentions(&code, forbidden)
    };
    for (module, forbidden) in FORBIDDEN {
        if is_in_module(name, module) {
            faults.extend(
                forbidden
                    .iter()
                    .filter(|path| names(path))
                    .map(|path| format!("names `{path}`, which {module} must not use")),
            );
        }
    }
    faults
}

/// What is wrong with a crate's dependencies, by its folder and its manifest.
fn manifest_faults(folder: &str, text: &str) -> Vec<String> {
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("cannot be read: {error}")],
    };
    let Some((_, crates)) = CRATES.iter().find(|(known, _)| *known == folder) else {
        return vec!["is a crate without a line in `CRATES`: what may it depend on?".to_owned()];
    };
    let mut faults = Vec::new();
    for dependency in dependencies(&manifest) {
        let of_workspace = dependency
            .strip_prefix("lockstep-")
            .or((dependency == "lockstep").then_some("lockstep"));
        if of_workspace.is_some_and(|own| !crates.contains(&own)) {
            faults.push(format!(
                "depends on `{dependency}`, which {folder} must not know"
            ));
        }
        let library = LIBRARIES.iter().find(|(library, _)| *library == dependency);
        if library.is_some_and(|(_, users)| !users.contains(&folder)) {
            faults.push(format!("depends on `{dependency}`, which is for others"));
        }
    }
    faults
}

/// The names of a crate's dependencies on any system, without those of its tests.
fn dependencies(manifest: &toml::Table) -> Vec<&str> {
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets.into_iter().flat_map(|targets| targets.values());
    let tables = tables.filter_map(toml::Value::as_table).chain([manifest]);
    tables
        .filter_map(|table| table.get("dependencies")?.as_table())
        .flat_map(|dependencies| dependencies.keys())
        .map(String::as_str)
        .collect()
}

/// Whether a file belongs to a module: `a/b.rs` and everything in `a/b/` belong to `a/b`.
fn is_in_module(file: &str, module: &str) -> bool {
    file.strip_prefix(module)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Whether a path equals another or continues it.
fn is_below(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether code names something by this path outside a `use`, as in `nice_plug::log!`.
fn mentions(code: &str, path: &str) -> bool {
    code.match_indices(&format!("{path}::")).any(|(at, _)| {
        !code[..at]
            .ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == ':')
    })
}

/// The text with every `//` comment removed. A `//` inside a string is cut too, which hides no import.
fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every path that a `use` imports, with braces expanded: `a::{b, c::d}` gives `a::b` and `a::c::d`.
fn used_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let is_keyword = rest[..at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace);
        rest = &rest[at + "use ".len()..];
        if let (true, Some((tree, _))) = (is_keyword, rest.split_once(';')) {
            let tree: String = tree.split_whitespace().collect::<Vec<_>>().join(" ");
            expand("", &tree, &mut paths);
        }
    }
    paths
}

/// Expands one `use` tree.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap_or_default();
        paths.push(format!("{prefix}{name}"));
        return;
    };
    let prefix = format!("{prefix}{}", head.trim());
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    let mut depth = 0_usize;
    let branches = group.split(|character: char| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    for branch in branches.filter(|branch| !branch.trim().is_empty()) {
        expand(&prefix, branch, paths);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_is_tidy() -> anyhow::Result<()> {
        check(&crate::root())
    }

    #[test]
    fn use_trees_are_expanded() {
        let code = "pub use a::{\n  b,\n  c::{self, d as e},\n};\nuse f::g;\nlet reuse = 1;";
        assert_eq!(used_paths(code), ["a::b", "a::c::self", "a::c::d", "f::g"]);
    }

    #[test]
    fn forbidden_imports_are_found_however_they_are_written() {
        for code in [
            "use crate::synth::Kit;",
            "use crate::{realtime::Plan, handoff::Ends};",
            "fn f() { crate::synth::hit(); }",
            "pub(crate) use crate::synth;",
        ] {
            let text = format!("//! A module.\n{code}\n");
            let n_faults = |name| faults_of(name, &text).len();
            assert_eq!(n_faults("plugin/engine/src/realtime.rs"), 1, "{code}");
            assert_eq!(n_faults("plugin/engine/src/realtime/score.rs"), 1, "{code}");
            assert_eq!(n_faults("plugin/src/lib.rs"), 0, "{code}");
        }
    }

    #[test]
    fn allowed_imports_and_comments_are_no_fault() {
        let text = "//! Does not use crate::synth::.\nuse lockstep_core::generator::Request;\n\
                    use crate::realtime::clock; // crate::handoff::Ends is elsewhere\n";
        assert_eq!(
            faults_of("plugin/engine/src/realtime.rs", text),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_crate_may_depend_only_on_those_below_it() {
        let faults = |folder, dependency: &str| {
            let manifest = format!("[dependencies]\n{dependency}.workspace = true\n");
            manifest_faults(folder, &manifest).len()
        };
        assert_eq!(faults("plugin/engine", "lockstep-core"), 0);
        for dependency in [
            "lockstep",
            "lockstep-models",
            "candle-core",
            "nice-plug",
            "clap",
        ] {
            assert_eq!(faults("plugin/engine", dependency), 1, "{dependency}");
        }
        assert_eq!(faults("plugin", "lockstep-lab"), 1);
        assert_eq!(faults("models", "candle-core"), 0);
        assert_eq!(faults("models/new", "lockstep-core"), 1);
        let of_a_system = "[target.'cfg(unix)'.dependencies]\ncandle-core = \"1\"\n";
        assert_eq!(manifest_faults("plugin", of_a_system).len(), 1);
        let of_tests = "[dev-dependencies]\nlockstep-models.workspace = true\n";
        assert_eq!(manifest_faults("plugin/engine", of_tests).len(), 0);
    }

    #[test]
    fn files_open_with_their_purpose_and_stay_short() {
        assert_eq!(faults_of("models/src/a.rs", "use std::fmt;\n").len(), 1);
        let long = format!("//! A module.\n{}", "\n".repeat(MAX_LINES));
        assert_eq!(faults_of("models/src/a.rs", &long).len(), 1);
    }
}
