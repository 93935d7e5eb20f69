//! The parameters: what a host automates and saves. Ids are frozen; a renamed one loses every saved song.
//!
//! Read on the audio thread, once a block, as [`Controls`]; written by the host. Never allocates after construction.

mod choices;

use lockstep_models::generator::Taste;
use lockstep_models::representation::{Meter, VoiceGroup};
use nice_plug::prelude::*;

use crate::device::DeviceChoice;
use crate::realtime::Controls;
pub use choices::{Drummer, FillChoice, Silence};

/// The drummer that plays unless another is asked for: off the grid by a hair, with a backbeat and an even temper, to bass
/// lines of our own.
pub const DEFAULT_SEED: u32 = 39;

/// Everything a musician can turn.
#[derive(Debug, Params)]
pub struct LockstepParams {
    /// Overall density.
    #[id = "density"]
    pub density: FloatParam,
    /// Density of the kick.
    #[id = "den_kick"]
    pub kick_density: FloatParam,
    /// Density of the snare.
    #[id = "den_snare"]
    pub snare_density: FloatParam,
    /// Density of the hats.
    #[id = "den_hats"]
    pub hats_density: FloatParam,
    /// Density of the toms.
    #[id = "den_toms"]
    pub toms_density: FloatParam,
    /// Density of crash and ride.
    #[id = "den_cymb"]
    pub cymbals_density: FloatParam,
    /// How much of the drummer's mind changes from measure to measure.
    #[id = "variation"]
    pub variation: FloatParam,
    /// Which drummer.
    #[id = "seed"]
    pub seed: IntParam,
    /// How late odd sixteenths are.
    #[id = "swing"]
    pub swing: FloatParam,
    /// How loosely hits are placed.
    #[id = "humanise"]
    pub humanise: FloatParam,
    /// Gain of every velocity.
    #[id = "velocity"]
    pub velocity: FloatParam,
    /// Whether the bass is passed on.
    #[id = "thru"]
    pub thru: BoolParam,
    /// What happens when the bass is silent.
    #[id = "silence"]
    pub silence: EnumParam<Silence>,
    /// Whether the drummer plays while the transport is stopped.
    #[id = "free_run"]
    pub free_run: BoolParam,
    /// Tempo of free run.
    #[id = "free_bpm"]
    pub free_run_tempo: FloatParam,
    /// Quarter notes a measure in free run.
    #[id = "free_meter"]
    pub free_run_meter: IntParam,
    /// Level of the built-in kit.
    #[id = "kit_gain"]
    pub kit_level: FloatParam,
    /// How much of the drummer's own placement is heard.
    #[id = "feel"]
    pub feel: FloatParam,
    /// How much the bass counts.
    #[id = "follow"]
    pub follow: FloatParam,
    /// Which of the drummer's styles, from 1; 0 leaves it to the drummer.
    #[id = "style"]
    pub style: IntParam,
    /// When fills are asked for.
    #[id = "fills"]
    pub fills: EnumParam<FillChoice>,
    /// Asks for a fill in the next measure.
    #[id = "fill_now"]
    pub fill_now: BoolParam,
    /// How late off-beat eighths are.
    #[id = "shuffle"]
    pub shuffle: FloatParam,
    /// Which weights play.
    #[id = "drummer"]
    pub drummer: EnumParam<Drummer>,
    /// Which device predicts.
    #[id = "device"]
    pub device: EnumParam<DeviceChoice>,
}

impl Default for LockstepParams {
    fn default() -> Self {
        let density = |name: &str| share(name, 0.5);
        let (drummer, style) = choices::drummer_and_style();
        Self {
            density: density("Density"),
            kick_density: density("Kick density"),
            snare_density: density("Snare density"),
            hats_density: density("Hats density"),
            toms_density: density("Toms density"),
            cymbals_density: density("Cymbals density"),
            variation: share("Variation", 0.1),
            seed: IntParam::new(
                "Seed",
                DEFAULT_SEED.cast_signed(),
                IntRange::Linear { min: 0, max: 9999 },
            ),
            swing: share("Swing", 0.0),
            humanise: share("Humanise", 0.15),
            velocity: FloatParam::new("Velocity", 1.0, FloatRange::Linear { min: 0.0, max: 2.0 }),
            thru: BoolParam::new("MIDI thru", false),
            silence: EnumParam::new("Silence", Silence::LayOut),
            free_run: BoolParam::new("Free run", false),
            free_run_tempo: FloatParam::new(
                "Free-run tempo",
                120.0,
                FloatRange::Linear {
                    min: 30.0,
                    max: 300.0,
                },
            )
            .with_unit(" BPM"),
            free_run_meter: IntParam::new("Free-run meter", 4, IntRange::Linear { min: 2, max: 7 }),
            kit_level: FloatParam::new("Kit level", 0.8, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_smoother(SmoothingStyle::Linear(10.0)),
            feel: share("Feel", 1.0),
            follow: share("Follow", 0.5),
            style,
            fills: EnumParam::new("Fills", FillChoice::Free),
            fill_now: BoolParam::new("Fill now", false),
            shuffle: share("Shuffle", 0.0),
            drummer,
            device: EnumParam::new("Device", DeviceChoice::default()).non_automatable(),
        }
    }
}

/// A parameter from 0 to 1 that is shown in percent.
fn share(name: &str, default: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max: 1.0 })
        .with_unit(" %")
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(formatters::s2v_f32_percentage())
}

impl LockstepParams {
    /// The knobs as the performer reads them.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn controls(&self) -> Controls {
        let group = |group| match group {
            VoiceGroup::Kick => self.kick_density.value(),
            VoiceGroup::Snare => self.snare_density.value(),
            VoiceGroup::Hats => self.hats_density.value(),
            VoiceGroup::Toms => self.toms_density.value(),
            VoiceGroup::Cymbals => self.cymbals_density.value(),
        };
        Controls {
            density: self.density.value(),
            group_density: VoiceGroup::ALL.map(group),
            taste: Taste {
                seed: self.seed.value().unsigned_abs(),
                variation: self.variation.value(),
                follow: self.follow.value(),
                style: u8::try_from(self.style.value() - 1).ok(),
                ..Taste::default()
            },
            fills: self.fills.value().into(),
            fill_now: self.fill_now.value(),
            shuffle: self.shuffle.value(),
            swing: self.swing.value(),
            humanise: self.humanise.value(),
            feel: self.feel.value(),
            velocity: self.velocity.value(),
            silence: self.silence.value().into(),
            free_run: self.free_run.value(),
            free_run_tempo_bpm: f64::from(self.free_run_tempo.value()),
            free_run_meter: u8::try_from(self.free_run_meter.value())
                .ok()
                .and_then(|quarters| Meter::new(quarters, 4))
                .unwrap_or_default(),
        }
    }
}
