//! The performer's state at one moment, for the editor to show.

use lockstep_core::representation::{
    HitMap, Length, MAX_STEPS_PER_MEASURE, Meter, N_VOICES, Presence, Swing, Voice, WINDOW_STEPS,
    Window,
};

use super::controls::Controls;
use super::ladder::{PlanSource, Tally};
use super::pins::Pins;
use super::score::Feel;
use super::{Mode, Performer};

/// One voice at one step, as it will be played, pins and feel included. Density has not decided yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cell {
    /// How readily it sounds.
    pub presence: Presence,
    /// Loudness before the gain, from 1/127 to 1.
    pub velocity: f32,
    /// How many steps after its own step it falls.
    pub shift: f32,
}

/// A measure's cells, `(T, V)`; those beyond its length never sound.
pub type Cells = [[Cell; N_VOICES]; MAX_STEPS_PER_MEASURE];

/// Which clock the drummer follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockSource {
    /// None: the drummer waits.
    #[default]
    Resting,
    /// The host's.
    Song,
    /// The drummer's own, in free run.
    Free,
}

/// The performer at the end of a block. Owns no heap memory; about 12 KiB.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot {
    /// Which clock the drummer follows.
    pub time: ClockSource,
    /// In BPM; 0 while no time passes.
    pub tempo_bpm: f64,
    /// Tempo of the drummer's own clock: followed while it runs, tapped before it starts; see
    /// [`Performer::free_tempo_bpm`].
    pub free_tempo_bpm: Option<f64>,
    /// How much of the measure is over, from nothing to its length; at rest, how much was when playing stopped.
    pub elapsed: Length,
    /// The measure being played, counted from the start.
    pub measure: u64,
    /// Its meter.
    pub meter: Meter,
    /// The last 64 steps of bass; the last one is still open.
    pub window: Window,
    /// The drums of the same steps as the drummer meant them, `(T, V)`: velocities, 0 is no hit.
    pub played: [[f32; N_VOICES]; WINDOW_STEPS],
    /// Which step of the measure the window's last one is.
    pub open_step: usize,
    /// The measure being played.
    pub now: Cells,
    /// The newest plan for the next measure; at rest, what would have been played next.
    pub next: Option<Cells>,
    /// The performer's tally.
    pub tally: Tally,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            time: ClockSource::Resting,
            tempo_bpm: 0.0,
            free_tempo_bpm: None,
            elapsed: Length::ZERO,
            measure: 0,
            meter: Meter::COMMON,
            window: Window::default(),
            played: [[0.0; N_VOICES]; WINDOW_STEPS],
            open_step: 0,
            now: Cells::default(),
            next: None,
            tally: Tally::default(),
        }
    }
}

impl Performer {
    /// The state after the last block.
    ///
    /// # Realtime safety
    /// Never allocates, never waits unless `plans` does.
    pub fn snapshot(
        &self,
        sample_rate_hz: f64,
        controls: &Controls,
        plans: &mut impl PlanSource,
    ) -> Snapshot {
        let time = match self.mode {
            Mode::Resting => ClockSource::Resting,
            Mode::Song { .. } => ClockSource::Song,
            Mode::Free => ClockSource::Free,
        };
        let elapsed = self.last.map_or(Length::ZERO, |last| {
            last.position_of(last.end) - self.measure.start
        });
        let running = self.last.filter(|_| self.is_playing());
        let end_row = self.measure.open_row() + 1;
        let cells = |hits: &HitMap, swing: Swing, serial: u64, meter: Meter| {
            cells(hits, &Feel::new(controls, swing, serial, meter), controls)
        };
        let (serial, meter) = (self.measure.serial, self.measure.meter);
        Snapshot {
            time,
            free_tempo_bpm: self.free_tempo_bpm(),
            tempo_bpm: running.map_or(0.0, |last| f64::from(last.tempo_bpm(sample_rate_hz))),
            elapsed: elapsed.clamp(Length::ZERO, meter.length()),
            measure: serial,
            meter,
            window: self.listener.window(end_row),
            played: self.listener.played(end_row),
            open_step: self.measure.half_step / 2,
            now: cells(self.score.hits(), self.score.swing(), serial, meter),
            next: self
                .measure
                .has_asked
                .then(|| plans.plan_for(self.playback, serial + 1))
                .flatten()
                .map(|plan| cells(&plan.hits, plan.swing, serial + 1, self.next_meter)),
            tally: self.tally(),
        }
    }
}

/// The cells of these hits.
fn cells(hits: &HitMap, feel: &Feel, controls: &Controls) -> Cells {
    let pins = if hits.is_rest() {
        Pins::default()
    } else {
        controls.pins
    };
    let mut cells = Cells::default();
    for (step_idx, row) in cells.iter_mut().enumerate().take(feel.n_steps()) {
        for (voice, cell) in Voice::ALL.into_iter().zip(row) {
            let hit = pins.apply(step_idx, voice, hits.hit(step_idx, voice));
            *cell = Cell {
                presence: hit.presence(),
                velocity: feel.velocity(step_idx, voice, hit),
                shift: feel.shift(step_idx, voice, hit),
            };
        }
    }
    cells
}
