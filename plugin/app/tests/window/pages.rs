//! Every page at 100 and 200 % looks like its picture in `docs/editor`.
//!
//! The comparison is loose: the status line shows milliseconds, and other versions of Mesa round edges differently. Set
//! `LOCKSTEP_ACCEPT_PICTURES=1` to make the pictures of the documentation again, and look at them before you commit
//! them.

use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lockstep_screen::{Picture, Screen, ScreenServer, WindowId, await_some};

use crate::stage::{App, JackServer, Musician, config_folder};
use crate::{MEASURE, ON_THE_GRID, STEP, bass};
use lockstep_screen::places::{GRIDS, NOWHERE, TABS, scaled, size};

/// Sizes in percent.
const SIZES: [u16; 2] = [100, 200];

/// Share of a picture's squares that may differ.
const MAX_DIFFERENCE: f64 = 0.02;

/// How long a picture must stay the same before it is saved: longer than a busy machine takes to draw the next one.
const STILL: Duration = Duration::from_millis(500);

fn committed(page: &str, percent: u16) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/editor");
    folder.join(format!("{page}-{percent}.png"))
}

/// Waits until the window's picture has stayed the same for a while; the window redraws all the time.
fn stable_picture(screen: &Screen, window: WindowId) -> Picture {
    let mut last = None;
    let mut since = Instant::now();
    await_some("a picture that stands still", || {
        let now = screen.picture(window)?;
        if last.as_ref() != Some(&now) {
            (last, since) = (Some(now), Instant::now());
        }
        Ok(last.clone().filter(|_| since.elapsed() > STILL))
    })
    .unwrap()
}

#[test]
fn every_page_looks_as_documented_at_100_and_200_percent() {
    let accepts = env::var_os("LOCKSTEP_ACCEPT_PICTURES").is_some_and(|value| value == "1");
    let x_server = ScreenServer::start().unwrap();
    let _server = JackServer::start();
    let folder = config_folder();
    let mut app = App::start_dressed(&folder, &ON_THE_GRID, |app| x_server.dress(app));
    let screen = Screen::open(Some(x_server.display())).unwrap();
    let window = screen.window("Lockstep").unwrap();

    let musician = Musician::of("lockstep:bass");
    musician.rest_before_measures(MEASURE);
    let nought = musician.roll();
    // The transport leaves 0 before the notes are queued, so they begin in the second measure.
    musician.play(bass(nought + MEASURE, 6));
    // Half a step away from where the drummer requests the next plan, which would change the picture.
    let end = nought + 6 * MEASURE + 9 * STEP;
    musician.stop_at(end);
    musician.wait_until(end);

    let mut faults = Vec::new();
    for percent in SIZES {
        screen.resize(window, size(percent)).unwrap();
        for (page, tab) in TABS {
            screen.click(window, scaled(tab, percent)).unwrap();
            // Make sure that the click has been handled before the pointer moves.
            stable_picture(&screen, window);
            screen.point(window, scaled(NOWHERE, percent)).unwrap();
            let expected = Picture::read(&committed(page, percent));
            if accepts {
                let shown = stable_picture(&screen, window);
                shown.write(&committed(page, percent)).unwrap();
                continue;
            }
            let mut last = screen.picture(window).unwrap();
            // A busy machine draws late.
            let fits = await_some("the documented picture", || {
                last = screen.picture(window)?;
                let is_alike = |expected: &Picture| expected.difference(&last) <= MAX_DIFFERENCE;
                Ok(expected.as_ref().is_ok_and(is_alike).then_some(()))
            });
            if fits.is_err() {
                let new = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
                    .join(format!("editor/{page}-{percent}.png"));
                last.write(&new).unwrap();
                let how = expected.map_or_else(
                    |error| format!("{error:#}"),
                    |expected| format!("{:.1} % differ", 100.0 * expected.difference(&last)),
                );
                faults.push(format!("{}: {how}", new.display()));
            }
        }
    }
    assert!(app.terminate().success(), "{}", app.said());
    assert!(
        faults.is_empty(),
        "different from docs/editor (if the new look is right, run this test with LOCKSTEP_ACCEPT_PICTURES=1, which makes \
         the pictures again):\n{}",
        faults.join("\n")
    );
}

#[test]
fn a_blank_page_another_page_and_missing_grids_are_detected() {
    for percent in SIZES {
        let pictures = TABS.map(|(page, _)| Picture::read(&committed(page, percent)).unwrap());
        let whole = (0, 0, u32::MAX / 2, u32::MAX / 2);
        for (n, picture) in pictures.iter().enumerate() {
            let blank = picture.clone().painted(whole, [20, 22, 26]);
            let others = pictures.iter().enumerate().filter(|(m, _)| *m != n);
            for other in others.map(|(_, other)| other).chain([&blank]) {
                let difference = picture.difference(other);
                assert!(
                    difference > 2.0 * MAX_DIFFERENCE,
                    "{}: {difference}",
                    TABS[n].0
                );
            }
        }
        let scale = u32::from(percent) / 100;
        let (left, top, width, height) = GRIDS;
        let grids = (left * scale, top * scale, width * scale, height * scale);
        let without = pictures[0].clone().painted(grids, [31, 34, 40]);
        let difference = pictures[0].difference(&without);
        assert!(difference > 2.0 * MAX_DIFFERENCE, "{difference}");
    }
}
