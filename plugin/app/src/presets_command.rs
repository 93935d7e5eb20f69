//! `lockstep presets`: lists the presets.
#![expect(clippy::print_stdout, reason = "a command-line program prints")]

use anyhow::Result;
use lockstep::presets::{self, Preset};

/// Lists the presets and the user's folder, and says what is wrong with files that cannot be read.
pub(crate) fn list() -> Result<()> {
    show(presets::factory());
    let user = presets::user()?;
    println!("\nYour own, in {}:", user.folder.display());
    if user.presets.is_empty() && user.problems.is_empty() {
        println!("  none yet");
    }
    show(&user.presets);
    for problem in &user.problems {
        eprintln!("Left out: {problem}");
    }
    Ok(())
}

fn show(presets: &[Preset]) {
    for preset in presets {
        println!("  {:<20} {}", preset.name, preset.about);
    }
}
