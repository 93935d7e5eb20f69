//! Checks what no lint can: which modules may use which, and the size and form of the files.
//!
//! Reads the sources as text and understands just enough of it: comments and `use` trees. Never builds anything.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Folders with sources.
const SOURCES: [&str; 4] = ["plugin", "models", "xtask", "tests"];

/// A file covers one idea; a longer one covers two.
const MAX_LINES: usize = 450;

/// Paths that a module and its submodules must not name.
const FORBIDDEN: [(&str, &[&str]); 9] = [
    // Only the models know the tensor library.
    ("plugin", &["candle_core", "candle_nn"]),
    ("xtask", &["candle_core", "candle_nn"]),
    ("gpu/src", &["candle_core", "candle_nn"]),
    // The audio thread: all musical behaviour runs without a host, a model or a thread.
    (
        "plugin/src/realtime",
        &[
            "nice_plug",
            "crate::generator",
            "lockstep_engine::shared_thread",
            "crate::capture",
            "crate::device",
            "crate::editor",
            "lockstep_models::network",
            "lockstep_models::predict",
        ],
    ),
    (
        "plugin/src/synth",
        &["nice_plug", "crate::generator", "crate::editor"],
    ),
    // representation <- network <- predict <- training.
    ("models", &["nice_plug", "lockstep", "libloading"]),
    ("models/src/network", &["crate::predict", "crate::training"]),
    ("models/src/predict", &["crate::training"]),
    (
        "models/src/corpus",
        &[
            "candle_core",
            "crate::network",
            "crate::predict",
            "crate::training",
        ],
    ),
];

/// The module at the bottom: it may name nothing in its crate but itself.
const FOUNDATION: (&str, &str) = ("models/src/representation", "crate::representation");

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
    if name.ends_with("Cargo.toml") {
        let names_candle = text.lines().any(|line| {
            line.split('#')
                .next()
                .is_some_and(|code| code.contains("candle"))
        });
        let is_models = name.starts_with("models/");
        return Vec::from_iter(
            (names_candle && !is_models).then(|| "only models/ may depend on candle".to_owned()),
        );
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
    let (module, own_path) = FOUNDATION;
    if is_in_module(name, module) {
        let is_top = name == format!("{module}.rs");
        faults.extend(
            paths
                .iter()
                .filter(|path| {
                    let leaves_crate_path = is_below(path, "crate") && !is_below(path, own_path);
                    leaves_crate_path
                        || (is_top && is_below(path, "super"))
                        || is_below(path, "super::super")
                })
                .map(|path| format!("names `{path}`, but {module} may use only itself")),
        );
    }
    faults
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
            "use nice_plug::prelude::*;",
            "use crate::{handoff::Ends, generator::Worker};",
            "fn f() { nice_plug::log!(); }",
            "pub(crate) use crate::editor;",
        ] {
            let text = format!("//! A module.\n{code}\n");
            let n_faults = |name| faults_of(name, &text).len();
            assert_eq!(n_faults("plugin/src/realtime.rs"), 1, "{code}");
            assert_eq!(n_faults("plugin/src/realtime/schedule.rs"), 1, "{code}");
            assert_eq!(n_faults("plugin/src/plugin.rs"), 0, "{code}");
        }
    }

    #[test]
    fn allowed_imports_and_comments_are_no_fault() {
        let text = "//! Knows nothing of nice_plug::.\nuse lockstep_core::generator::Request;\n\
                    use lockstep_engine::handoff; // crate::generator::Worker is on the other side\n";
        assert_eq!(
            faults_of("plugin/src/realtime.rs", text),
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_representation_may_use_only_itself() {
        let n_faults = |code: &str| {
            let text = format!("//! A module.\n{code}\n");
            faults_of("models/src/representation/window.rs", &text).len()
        };
        assert_eq!(n_faults("use super::Voice;"), 0);
        assert_eq!(n_faults("use crate::representation::Voice;"), 0);
        assert_eq!(n_faults("use crate::generator::Request;"), 1);
        assert_eq!(n_faults("use super::super::generator::Request;"), 1);
    }

    #[test]
    fn only_the_models_may_depend_on_candle() {
        let manifest = "[dependencies]\ncandle-core.workspace = true\n";
        assert_eq!(faults_of("plugin/Cargo.toml", manifest).len(), 1);
        assert_eq!(faults_of("models/Cargo.toml", manifest).len(), 0);
        assert_eq!(
            faults_of("plugin/Cargo.toml", "# candle is elsewhere").len(),
            0
        );
    }

    #[test]
    fn files_open_with_their_purpose_and_stay_short() {
        assert_eq!(faults_of("models/src/a.rs", "use std::fmt;\n").len(), 1);
        let long = format!("//! A module.\n{}", "\n".repeat(MAX_LINES));
        assert_eq!(faults_of("models/src/a.rs", &long).len(), 1);
    }
}
