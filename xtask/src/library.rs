//! Checks a built Linux library as its users get it: what it needs from the C library, and its size.
//!
//! Reads the ELF file; builds nothing. The linker binds each function to its newest version in the build machine's C
//! library, even if an older one would do, and the file does not load where that version is missing. So there are two
//! answers: what the file needs as it is, and what it would need if linked against an older C library.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use object::LittleEndian;
use object::elf::FileHeader64;
use object::read::elf::{FileHeader as _, SectionHeader as _, Sym as _};

type Elf = FileHeader64<LittleEndian>;

/// The oldest glibc that the plugin must load with: Debian 10, Ubuntu 18.10, RHEL 8.
pub(crate) const OLDEST_GLIBC: Glibc = Glibc(2, 28);

/// Functions exported only since glibc 2.33. Before, the linker copied them into each program from `libc_nonshared.a`.
const ONCE_LINKED_IN: [&str; 8] = [
    "fstat",
    "fstat64",
    "fstatat",
    "fstatat64",
    "lstat",
    "lstat64",
    "stat",
    "stat64",
];

/// A version of glibc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glibc(u32, u32);

impl Glibc {
    /// Parses the first two numbers of a version such as `GLIBC_2.2.5`; `None` for other names.
    fn parse(name: &str) -> Option<Self> {
        let mut numbers = name.strip_prefix("GLIBC_")?.split('.').map(str::parse);
        Some(Self(numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A function of glibc that a library calls.
#[derive(Clone, Debug)]
struct Need {
    name: String,
    /// The version it is bound to.
    version: Glibc,
    /// Whether the library works without it.
    is_weak: bool,
}

/// A built library.
#[derive(Debug)]
pub(crate) struct Library {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Library {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let path = path.to_owned();
        Ok(Self { path, bytes })
    }

    /// Size of the file in bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The newest glibc version that functions are bound to, and the names of those functions.
    pub(crate) fn newest_glibc(&self) -> Result<(Glibc, Vec<String>)> {
        let needs = self.needs()?;
        let strong = || needs.iter().filter(|need| !need.is_weak);
        let newest = strong().map(|need| need.version).max();
        let newest = newest.context("it needs nothing from glibc")?;
        let names = strong().filter(|need| need.version == newest);
        Ok((newest, names.map(|need| need.name.clone()).collect()))
    }

    /// Whether it calls a function of glibc by this name.
    pub(crate) fn calls(&self, name: &str) -> Result<bool> {
        Ok(self.needs()?.iter().any(|need| need.name == name))
    }

    /// Checks that a glibc as old as [`OLDEST_GLIBC`] has everything the library needs, so that it would load there if
    /// linked against it. The age of a function is read from this machine's glibc, which still has all older versions.
    pub(crate) fn check_glibc(&self) -> Result<()> {
        let offered = offered()?;
        let too_new: Vec<String> = self
            .needs()?
            .into_iter()
            .filter(|need| !need.is_weak && !ONCE_LINKED_IN.contains(&&*need.name))
            .filter_map(|need| {
                let oldest = offered.get(&need.name).copied();
                let oldest = oldest.map_or(need.version, |offered| offered.min(need.version));
                (oldest > OLDEST_GLIBC).then(|| format!("{} (glibc {oldest})", need.name))
            })
            .collect();
        ensure!(
            too_new.is_empty(),
            "{} calls functions that glibc {OLDEST_GLIBC} lacks: {}",
            self.path.display(),
            too_new.join(", ")
        );
        Ok(())
    }

    /// How often these bytes occur in the library's read-only data.
    pub(crate) fn count(&self, part: &[u8]) -> Result<usize> {
        let Some(first) = part.first() else {
            return Ok(0);
        };
        let data = self.section(b".rodata")?;
        let starts = data.iter().enumerate().filter(|(_, byte)| *byte == first);
        Ok(starts
            .filter(|(at, _)| data[*at..].starts_with(part))
            .count())
    }

    /// The bytes of a section.
    fn section(&self, name: &[u8]) -> Result<&[u8]> {
        let data = &*self.bytes;
        let header = Elf::parse(data)?;
        let sections = header.sections(LittleEndian, data)?;
        let (_, section) = sections
            .section_by_name(LittleEndian, name)
            .with_context(|| format!("{} has no {}", self.path.display(), name.escape_ascii()))?;
        Ok(section.data(LittleEndian, data)?)
    }

    fn needs(&self) -> Result<Vec<Need>> {
        let needs = symbols(&self.bytes, |version, symbol| {
            symbol.is_undefined.then_some((version, symbol.is_weak))
        })?;
        let needs = needs.into_iter();
        Ok(needs
            .map(|(name, (version, is_weak))| Need {
                name,
                version,
                is_weak,
            })
            .collect())
    }
}

/// Properties of a symbol other than its name.
struct Symbol {
    is_undefined: bool,
    is_weak: bool,
}

/// The dynamic symbols of a library that have a glibc version and that `keep` accepts.
fn symbols<T>(data: &[u8], keep: impl Fn(Glibc, Symbol) -> Option<T>) -> Result<Vec<(String, T)>> {
    let header = Elf::parse(data)?;
    let sections = header.sections(LittleEndian, data)?;
    let table = sections.symbols(LittleEndian, data, object::elf::SHT_DYNSYM)?;
    let versions = sections.versions(LittleEndian, data)?.unwrap_or_default();
    let mut kept = Vec::new();
    for (at, symbol) in table.enumerate() {
        let version = versions.version_index(LittleEndian, at).index();
        let Some(version) = versions.version(version)? else {
            continue;
        };
        let version = Glibc::parse(&String::from_utf8_lossy(version.name()));
        let about = Symbol {
            is_undefined: symbol.is_undefined(LittleEndian),
            is_weak: symbol.is_weak(),
        };
        if let Some(it) = version.and_then(|version| keep(version, about)) {
            let name = table.symbol_name(LittleEndian, symbol)?;
            kept.push((String::from_utf8_lossy(name).into_owned(), it));
        }
    }
    Ok(kept)
}

/// The oldest version of each function in this machine's glibc, read from the files that this process has loaded.
fn offered() -> Result<BTreeMap<String, Glibc>> {
    let maps = fs::read_to_string("/proc/self/maps").context("finding glibc")?;
    let places = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5));
    let mut places = places.map(Path::new);
    let libc = places.find(|path| path.file_name().is_some_and(|name| name == "libc.so.6"));
    let libc = libc.context("this process has not loaded glibc")?;
    let mut oldest = BTreeMap::new();
    for path in [libc.to_owned(), libc.with_file_name("libm.so.6")] {
        let data = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        for (name, version) in symbols(&data, |version, symbol| {
            (!symbol.is_undefined).then_some(version)
        })? {
            let known = oldest.entry(name).or_insert(version);
            *known = version.min(*known);
        }
    }
    Ok(oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_numbers() {
        let version = |name| Glibc::parse(name);
        assert!(version("GLIBC_2.9") < version("GLIBC_2.28"));
        assert_eq!(version("GLIBC_2.2.5"), Some(Glibc(2, 2)));
        assert_eq!(version("GLIBC_PRIVATE"), None);
        assert_eq!(version("GCC_3.0"), None);
        assert_eq!(OLDEST_GLIBC.to_string(), "2.28");
    }

    // The test program is itself such a file, bound to the glibc that runs it.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    #[test]
    fn a_program_is_read_and_needs_no_more_than_this_machine_has() -> Result<()> {
        let program = Library::read(&std::env::current_exe()?)?;
        let needs = program.needs()?;
        let malloc = needs.iter().find(|need| need.name == "malloc");
        assert!(malloc.is_some_and(|need| need.version == Glibc(2, 2) && !need.is_weak));
        let offered = offered()?;
        for need in needs.iter().filter(|need| !need.is_weak) {
            let oldest = offered.get(&need.name);
            assert!(
                oldest.is_none_or(|oldest| *oldest <= need.version),
                "{need:?}: {oldest:?}"
            );
        }
        program.check_glibc()?;
        assert!(program.calls("malloc")? && !program.calls("mallo")?);
        let once = b"a sentence that stands in this program once, and nowhere else";
        assert_eq!(program.count(&once[..])?, 1);
        Ok(())
    }
}
