//! Parameter ids must never change: players' projects and automation store them.

use lockstep_hosts::{ClapHost, Format, Parameter};

/// String id and name, in the order in which a host lists them. Never rename or remove an id.
const FROZEN: [(&str, &str); 158] = [
    ("bypass", "Bypass"),
    ("density", "Density"),
    ("kick_density", "Kick density"),
    ("snare_density", "Snare density"),
    ("hats_density", "Hats density"),
    ("toms_density", "Toms density"),
    ("cymbals_density", "Cymbals density"),
    ("percussion_density", "Percussion density"),
    ("follow", "Follow"),
    ("energy", "Energy"),
    ("style", "Style"),
    ("fills", "Fills"),
    ("fill_length", "Fill length"),
    ("fill_amount", "Fill amount"),
    ("fill_now", "Fill now"),
    ("new_idea", "New idea"),
    ("variation", "Variation"),
    ("seed", "Seed"),
    ("silence", "Silence"),
    ("drummer", "Drummer"),
    ("device", "Device"),
    ("swing", "Swing"),
    ("shuffle", "Shuffle"),
    ("humanise", "Humanise"),
    ("feel", "Feel"),
    ("velocity", "Velocity"),
    ("bass_ch", "Bass channel"),
    ("bass_low", "Lowest bass key"),
    ("bass_high", "Highest bass key"),
    ("touch", "Touch"),
    ("bend", "Bend range"),
    ("late", "Late hands"),
    ("ctl_key", "Control keys"),
    ("thru", "MIDI thru"),
    ("free_run", "Free run"),
    ("free_bpm", "Free-run tempo"),
    ("free_meter", "Free-run meter"),
    ("free_start", "Free-run start"),
    ("tap", "Tap"),
    ("free_follow", "Tempo follow"),
    ("kit", "Kit"),
    ("kit_level", "Kit level"),
    ("kick_level", "Kick level"),
    ("kick_pan", "Kick pan"),
    ("kick_tune", "Kick tune"),
    ("kick_decay", "Kick decay"),
    ("snare_level", "Snare level"),
    ("snare_pan", "Snare pan"),
    ("snare_tune", "Snare tune"),
    ("snare_decay", "Snare decay"),
    ("side_level", "Side stick level"),
    ("side_pan", "Side stick pan"),
    ("side_tune", "Side stick tune"),
    ("side_decay", "Side stick decay"),
    ("clap_level", "Clap level"),
    ("clap_pan", "Clap pan"),
    ("clap_tune", "Clap tune"),
    ("clap_decay", "Clap decay"),
    ("chat_level", "Closed hat level"),
    ("chat_pan", "Closed hat pan"),
    ("chat_tune", "Closed hat tune"),
    ("chat_decay", "Closed hat decay"),
    ("phat_level", "Pedal hat level"),
    ("phat_pan", "Pedal hat pan"),
    ("phat_tune", "Pedal hat tune"),
    ("phat_decay", "Pedal hat decay"),
    ("ohat_level", "Open hat level"),
    ("ohat_pan", "Open hat pan"),
    ("ohat_tune", "Open hat tune"),
    ("ohat_decay", "Open hat decay"),
    ("ltom_level", "Low tom level"),
    ("ltom_pan", "Low tom pan"),
    ("ltom_tune", "Low tom tune"),
    ("ltom_decay", "Low tom decay"),
    ("mtom_level", "Mid tom level"),
    ("mtom_pan", "Mid tom pan"),
    ("mtom_tune", "Mid tom tune"),
    ("mtom_decay", "Mid tom decay"),
    ("htom_level", "High tom level"),
    ("htom_pan", "High tom pan"),
    ("htom_tune", "High tom tune"),
    ("htom_decay", "High tom decay"),
    ("crash_level", "Crash level"),
    ("crash_pan", "Crash pan"),
    ("crash_tune", "Crash tune"),
    ("crash_decay", "Crash decay"),
    ("ride_level", "Ride level"),
    ("ride_pan", "Ride pan"),
    ("ride_tune", "Ride tune"),
    ("ride_decay", "Ride decay"),
    ("tamb_level", "Tambourine level"),
    ("tamb_pan", "Tambourine pan"),
    ("tamb_tune", "Tambourine tune"),
    ("tamb_decay", "Tambourine decay"),
    ("shaker_level", "Shaker level"),
    ("shaker_pan", "Shaker pan"),
    ("shaker_tune", "Shaker tune"),
    ("shaker_decay", "Shaker decay"),
    ("save", "Save take"),
    ("map", "Drum map"),
    ("choke", "Closed hat ends open hat"),
    ("kick_note", "Kick note"),
    ("kick_channel", "Kick channel"),
    ("snare_note", "Snare note"),
    ("snare_channel", "Snare channel"),
    ("side_note", "Side stick note"),
    ("side_channel", "Side stick channel"),
    ("clap_note", "Clap note"),
    ("clap_channel", "Clap channel"),
    ("chat_note", "Closed hat note"),
    ("chat_channel", "Closed hat channel"),
    ("phat_note", "Pedal hat note"),
    ("phat_channel", "Pedal hat channel"),
    ("ohat_note", "Open hat note"),
    ("ohat_channel", "Open hat channel"),
    ("ltom_note", "Low tom note"),
    ("ltom_channel", "Low tom channel"),
    ("mtom_note", "Mid tom note"),
    ("mtom_channel", "Mid tom channel"),
    ("htom_note", "High tom note"),
    ("htom_channel", "High tom channel"),
    ("crash_note", "Crash note"),
    ("crash_channel", "Crash channel"),
    ("ride_note", "Ride note"),
    ("ride_channel", "Ride channel"),
    ("tamb_note", "Tambourine note"),
    ("tamb_channel", "Tambourine channel"),
    ("shaker_note", "Shaker note"),
    ("shaker_channel", "Shaker channel"),
    ("kick_mute", "Kick mute"),
    ("kick_solo", "Kick solo"),
    ("snare_mute", "Snare mute"),
    ("snare_solo", "Snare solo"),
    ("side_mute", "Side stick mute"),
    ("side_solo", "Side stick solo"),
    ("clap_mute", "Clap mute"),
    ("clap_solo", "Clap solo"),
    ("chat_mute", "Closed hat mute"),
    ("chat_solo", "Closed hat solo"),
    ("phat_mute", "Pedal hat mute"),
    ("phat_solo", "Pedal hat solo"),
    ("ohat_mute", "Open hat mute"),
    ("ohat_solo", "Open hat solo"),
    ("ltom_mute", "Low tom mute"),
    ("ltom_solo", "Low tom solo"),
    ("mtom_mute", "Mid tom mute"),
    ("mtom_solo", "Mid tom solo"),
    ("htom_mute", "High tom mute"),
    ("htom_solo", "High tom solo"),
    ("crash_mute", "Crash mute"),
    ("crash_solo", "Crash solo"),
    ("ride_mute", "Ride mute"),
    ("ride_solo", "Ride solo"),
    ("tamb_mute", "Tambourine mute"),
    ("tamb_solo", "Tambourine solo"),
    ("shaker_mute", "Shaker mute"),
    ("shaker_solo", "Shaker solo"),
    ("pin_edits", "Pin edits"),
];

/// Parameters that no host shows: there they do nothing, but saved projects contain them.
const HIDDEN: [(&str, &str); 1] = [("save", "Save take")];

/// Visible parameters that automation must not move.
const NOT_AUTOMATABLE: [&str; 4] = ["Control keys", "Device", "Tap", "Pin edits"];

/// The number that both formats derive from a string id: base 31 over its bytes, with the top bit clear, which the host
/// reserves.
fn hash(id: &str) -> u32 {
    id.bytes().fold(0_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    }) & !(1 << 31)
}

#[test]
fn parameter_ids_are_frozen_in_both_formats() -> anyhow::Result<()> {
    let hashed = |(id, name): &(&str, &str)| (hash(id), (*name).to_owned());
    let (hidden, shown): (Vec<_>, Vec<_>) = FROZEN.iter().partition(|each| HIDDEN.contains(each));
    let listed = |parameters: Vec<Parameter>| -> Vec<_> {
        let listed = parameters.into_iter();
        listed.map(|each| (each.id, each.name)).collect()
    };
    for format in Format::ALL {
        let mut host = format.open()?;
        let expected: Vec<_> = shown.iter().copied().map(hashed).collect();
        assert_eq!(listed(host.parameters()?), expected, "{format:?}");
        let expected: Vec<_> = hidden.iter().copied().map(hashed).collect();
        assert_eq!(listed(host.hidden_parameters()?), expected, "{format:?}");
    }
    Ok(())
}

#[test]
fn automation_may_request_fills_and_ideas_but_not_tap_or_save() -> anyhow::Result<()> {
    for format in Format::ALL {
        let mut host = format.open()?;
        let is_fixed = |name: &str| {
            let own_map = ["note", "channel"].iter().any(|end| name.ends_with(end));
            let others = ["Drum map", "Closed hat ends open hat"];
            // The bass channel is a playing control; the drum channels belong to the drum map.
            (own_map && name != "Bass channel")
                || others.contains(&name)
                || NOT_AUTOMATABLE.contains(&name)
        };
        for Parameter {
            name,
            is_automatable,
            ..
        } in host.parameters()?
        {
            assert_eq!(is_automatable, !is_fixed(&name), "{format:?}: {name}");
        }
        assert!(host.hidden_parameters()?.iter().all(|p| !p.is_automatable));
    }
    Ok(())
}

#[test]
fn a_controller_gets_pages_of_knobs_and_a_list_gets_groups() -> anyhow::Result<()> {
    let mut host = ClapHost::open()?;
    let pages = host.pages()?;
    let names: Vec<_> = pages.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["Play", "Density", "Drummer", "Feel", "Free run"]);
    let play = [
        "Density",
        "Energy",
        "Follow",
        "Style",
        "Fills",
        "Fill now",
        "New idea",
        "Variation",
    ];
    assert_eq!(pages[0].1, play);
    assert!(
        pages
            .iter()
            .all(|(_, knobs)| (6..=8).contains(&knobs.len()))
    );
    let groups = host.groups();
    let ungrouped: Vec<_> = groups
        .iter()
        .filter(|(_, group)| group.is_empty())
        .map(|(name, _)| *name)
        .collect();
    assert_eq!(ungrouped, ["Bypass", "Save take", "Pin edits"]);
    assert!(groups.contains(&("Late hands", "Bass")));
    Ok(())
}
