//! Parameter ids are a promise: projects and automation lanes of players hold them.

use lockstep_hosts::Format;

/// String id and name, in the order in which a host lists them. Add at the end; never rename or remove an id.
const FROZEN: [(&str, &str); 25] = [
    ("density", "Density"),
    ("den_kick", "Kick density"),
    ("den_snare", "Snare density"),
    ("den_hats", "Hats density"),
    ("den_toms", "Toms density"),
    ("den_cymb", "Cymbals density"),
    ("variation", "Variation"),
    ("seed", "Seed"),
    ("swing", "Swing"),
    ("humanise", "Humanise"),
    ("velocity", "Velocity"),
    ("thru", "MIDI thru"),
    ("silence", "Silence"),
    ("free_run", "Free run"),
    ("free_bpm", "Free-run tempo"),
    ("free_meter", "Free-run meter"),
    ("kit_gain", "Kit level"),
    ("feel", "Feel"),
    ("follow", "Follow"),
    ("style", "Style"),
    ("fills", "Fills"),
    ("fill_now", "Fill now"),
    ("shuffle", "Shuffle"),
    ("drummer", "Drummer"),
    ("device", "Device"),
];

/// The number that both formats know a string id by: base 31 over its bytes, the top bit clear (it is the host's).
fn hash(id: &str) -> u32 {
    id.bytes().fold(0_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    }) & !(1 << 31)
}

#[test]
fn parameter_ids_are_frozen_in_both_formats() -> anyhow::Result<()> {
    let expected: Vec<_> = FROZEN
        .iter()
        .map(|(id, name)| (hash(id), (*name).to_owned()))
        .collect();
    for format in Format::ALL {
        let listed: Vec<_> = format
            .open()?
            .parameters()?
            .into_iter()
            .map(|parameter| (parameter.id, parameter.name))
            .collect();
        assert_eq!(listed, expected, "{format:?}");
    }
    Ok(())
}
