//! The program as it is built without options: what it says of the commands that are left out.

use std::process::Command;

/// What the program says on its error stream when it is called with these words, or `None` if it succeeds.
#[cfg(not(all(feature = "live", feature = "tune")))]
fn refusal(words: &[&str]) -> std::io::Result<Option<String>> {
    let output = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .args(words)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((!output.status.success()).then_some(said))
}

#[cfg(not(feature = "live"))]
#[test]
fn live_says_how_it_is_built_in() -> std::io::Result<()> {
    for words in [&["live"][..], &["live", "--fresh", "--set", "swing=0"]] {
        let said = refusal(words)?.unwrap_or_default();
        assert!(said.contains("--features live -- live"), "{said}");
    }
    Ok(())
}

#[cfg(not(feature = "tune"))]
#[test]
fn tune_says_how_it_is_built_in() -> std::io::Result<()> {
    let said = refusal(&["tune", "songs", "-o", "own.safetensors"])?.unwrap_or_default();
    assert!(said.contains("--features tune -- tune"), "{said}");
    Ok(())
}

#[test]
fn help_lists_every_command() -> std::io::Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_lockstep"))
        .arg("--help")
        .output()?;
    let help = String::from_utf8_lossy(&output.stdout);
    for command in ["jam", "map", "presets", "tune", "live"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
    }
    Ok(())
}
