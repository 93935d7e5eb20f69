//! `lockstep presets`: what there is to be played by name.
#![expect(clippy::print_stdout, reason = "a program that talks to people")]

use anyhow::Result;
use lockstep::presets::{self, Preset};

/// Lists them, and where one's own lie; says what is wrong with those that cannot be read.
pub(crate) fn list() -> Result<()> {
    show(presets::factory());
    let user = presets::user()?;
    println!("\nYour own, in {}:", user.folder.display());
    if user.presets.is_empty() && user.troubles.is_empty() {
        println!("  none yet");
    }
    show(&user.presets);
    for trouble in &user.troubles {
        eprintln!("Left out: {trouble}");
    }
    Ok(())
}

fn show(presets: &[Preset]) {
    for preset in presets {
        println!("  {:<20} {}", preset.name, preset.about);
    }
}
