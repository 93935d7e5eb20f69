//! Simulates what a player does in the plugin window, and prints what the host or the player gets to see.

use std::time::Duration;

use anyhow::{Context as _, Result};
use lockstep_hosts::{
    ClapHost, ClapWindow, PluginWindow, Stage, Vst3Host, WindowEdit, WindowEditKind,
};
use lockstep_screen::places::{ALARM, DENSITY_LEFT, KICK_CELL, KICK_MUTE, SAVE_TAKE, SETUP_TAB};
use lockstep_screen::{Point, Screen, WindowId, await_some};

use super::rounds::{Bundle, LONG, open, stage};

/// Drags Density from its default to the right end, and prints what the host is told.
pub(super) fn drag(screen: &Screen) -> Result<()> {
    let stage = stage(LONG).with("Density", 0.5);
    let run = ClapHost::open()?.perform_beside(&stage, &mut |window: &mut ClapWindow<'_>| {
        let (parent, inner) = open(screen, window)?;
        screen.drag(inner, DENSITY_LEFT, (600, DENSITY_LEFT.1))?;
        // The last change reaches the host in one of the next blocks.
        std::thread::sleep(Duration::from_millis(200));
        window.close()?;
        screen.close_window(parent)
    })?;
    print_edits(&run.performance.edits);
    Ok(())
}

/// Pins a cell and mutes a voice, and prints what the host is told.
pub(super) fn pin_and_mute(screen: &Screen, format: Bundle) -> Result<()> {
    let edits = while_it_plays(screen, format, stage(LONG), &|window, inner| {
        for place in [KICK_CELL, KICK_MUTE] {
            click(screen, window, inner, place)?;
        }
        Ok(())
    })?;
    print_edits(&edits);
    Ok(())
}

/// Presses the button that saves a take, and waits for the take.
pub(super) fn save(screen: &Screen, format: Bundle) -> Result<()> {
    let folder = std::env::var("LOCKSTEP_TAKES").context("LOCKSTEP_TAKES is not set")?;
    while_it_plays(screen, format, stage(LONG), &|window, inner| {
        for place in [SETUP_TAB, SAVE_TAKE] {
            click(screen, window, inner, place)?;
        }
        await_some("a take", || {
            let n_files = std::fs::read_dir(&folder)?.count();
            Ok((n_files == 2).then_some(()))
        })
    })?;
    println!("saved");
    Ok(())
}

/// Prints how many pixels of the Setup page have the colour of problem messages, once the drummer has been loaded.
pub(super) fn count_alarm_pixels(screen: &Screen, format: Bundle, drummer: f64) -> Result<()> {
    let stage = stage(LONG).with("Drummer", drummer);
    while_it_plays(screen, format, stage, &|window, inner| {
        click(screen, window, inner, SETUP_TAB)?;
        // A busy machine takes seconds to load a drummer.
        let mut n = 0;
        for _ in 0..10 {
            std::thread::sleep(Duration::from_millis(500));
            n = screen.picture(inner)?.n_of(ALARM);
            if n > 0 {
                break;
            }
        }
        println!("pixels in alarm: {n}");
        Ok(())
    })?;
    Ok(())
}

/// What to do in an open window, given the plugin and the window.
type Act<'a> = &'a dyn Fn(&mut dyn PluginWindow, WindowId) -> Result<()>;

/// Does something in the window while a stage is played; returns what the host is told.
fn while_it_plays(
    screen: &Screen,
    format: Bundle,
    stage: Stage,
    act: Act<'_>,
) -> Result<Vec<WindowEdit>> {
    let with_window = |window: &mut dyn PluginWindow| {
        let (parent, inner) = open(screen, window)?;
        act(window, inner)?;
        window.close()?;
        screen.close_window(parent)
    };
    let performance = match format {
        Bundle::Clap => {
            let mut beside = |window: &mut ClapWindow<'_>| with_window(window);
            ClapHost::open()?
                .perform_beside(&stage, &mut beside)?
                .performance
        }
        Bundle::Vst3 => {
            let mut n_blocks = 0_u32;
            let mut stage = stage;
            stage.n_frames = 100 * u64::from(stage.block_frames);
            stage.actions.clear();
            Vst3Host::open()?.perform_between(&stage, |window, _| {
                n_blocks += 1;
                // In the middle: some blocks have been played and some are still to come.
                if n_blocks == 50 {
                    with_window(window)?;
                }
                Ok(())
            })?
        }
    };
    Ok(performance.edits)
}

/// Clicks, and waits until the window has drawn again and handled the click.
fn click(
    screen: &Screen,
    window: &mut dyn PluginWindow,
    inner: WindowId,
    place: Point,
) -> Result<()> {
    screen.click(inner, place)?;
    std::thread::sleep(Duration::from_millis(500));
    window.serve();
    Ok(())
}

fn print_edits(edits: &[WindowEdit]) {
    for WindowEdit { name, kind } in edits {
        match kind {
            WindowEditKind::Begin => println!("{name}: begin"),
            WindowEditKind::Turn(to) => println!("{name}: {to:.3}"),
            WindowEditKind::End => println!("{name}: end"),
        }
    }
}
