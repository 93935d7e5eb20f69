//! The presets that come with Lockstep.

use std::sync::LazyLock;

use nice_plug::prelude::nice_error;

use super::{Preset, file, made};

/// Their files, in display order.
const FILES: [(&str, &str); 18] = [
    ("pocket.toml", include_str!("../../presets/pocket.toml")),
    (
        "straight-rock.toml",
        include_str!("../../presets/straight-rock.toml"),
    ),
    ("soul.toml", include_str!("../../presets/soul.toml")),
    ("funk.toml", include_str!("../../presets/funk.toml")),
    (
        "busy-hats.toml",
        include_str!("../../presets/busy-hats.toml"),
    ),
    (
        "four-on-the-floor.toml",
        include_str!("../../presets/four-on-the-floor.toml"),
    ),
    ("reggae.toml", include_str!("../../presets/reggae.toml")),
    ("bossa.toml", include_str!("../../presets/bossa.toml")),
    ("samba.toml", include_str!("../../presets/samba.toml")),
    ("dembow.toml", include_str!("../../presets/dembow.toml")),
    ("machine.toml", include_str!("../../presets/machine.toml")),
    ("shuffle.toml", include_str!("../../presets/shuffle.toml")),
    (
        "swing-ride.toml",
        include_str!("../../presets/swing-ride.toml"),
    ),
    ("train.toml", include_str!("../../presets/train.toml")),
    (
        "second-line.toml",
        include_str!("../../presets/second-line.toml"),
    ),
    (
        "sparse-brushes.toml",
        include_str!("../../presets/sparse-brushes.toml"),
    ),
    (
        "fills-every-four.toml",
        include_str!("../../presets/fills-every-four.toml"),
    ),
    ("loose.toml", include_str!("../../presets/loose.toml")),
];

/// The presets that come with Lockstep, in display order.
pub fn factory() -> &'static [Preset] {
    static FACTORY: LazyLock<Vec<Preset>> = LazyLock::new(|| {
        let parameters = made();
        let read = FILES.map(|(name, text)| file::parse(text, name, &parameters));
        read.into_iter()
            .filter_map(|preset| preset.inspect_err(|error| nice_error!("{error}")).ok())
            .collect()
    });
    &FACTORY
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets::PresetError;

    #[test]
    fn every_factory_preset_is_valid_with_a_unique_name_and_a_description()
    -> Result<(), PresetError> {
        let parameters = made();
        let mut names = Vec::new();
        for (name, text) in FILES {
            let preset = file::parse(text, name, &parameters)?;
            assert!(preset.about.ends_with('.'), "{name}");
            names.push(preset.name.to_lowercase());
        }
        let shown: Vec<_> = factory()
            .iter()
            .map(|preset| preset.name.to_lowercase())
            .collect();
        assert_eq!(shown, names);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FILES.len());
        Ok(())
    }
}
