//! What is played, how much of it and how.

use lockstep_core::generator::DEFAULT_SEED;
use nice_plug::prelude::*;

use super::choices::DeviceChoice;
use super::choices::{self, Drummer, FillChoice, Silence};
use super::share;

/// How much plays.
#[derive(Debug, Params)]
pub struct DensityParams {
    /// Overall density.
    #[id = "density"]
    pub overall: FloatParam,
    /// Density of the kick.
    #[id = "den_kick"]
    pub kick: FloatParam,
    /// Density of the snare.
    #[id = "den_snare"]
    pub snare: FloatParam,
    /// Density of the hats.
    #[id = "den_hats"]
    pub hats: FloatParam,
    /// Density of the toms.
    #[id = "den_toms"]
    pub toms: FloatParam,
    /// Density of crash and ride.
    #[id = "den_cymb"]
    pub cymbals: FloatParam,
}

impl Default for DensityParams {
    fn default() -> Self {
        Self {
            overall: share("Density", 0.5),
            kick: share("Kick density", 0.5),
            snare: share("Snare density", 0.5),
            hats: share("Hats density", 0.5),
            toms: share("Toms density", 0.5),
            cymbals: share("Cymbals density", 0.5),
        }
    }
}

/// What is played.
#[derive(Debug, Params)]
pub struct DrummerParams {
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
    /// Asks for another take from the next measure on.
    #[id = "new_idea"]
    pub new_idea: BoolParam,
    /// How much of the drummer's mind changes from measure to measure.
    #[id = "variation"]
    pub variation: FloatParam,
    /// Which drummer.
    #[id = "seed"]
    pub seed: IntParam,
    /// What happens when the bass is silent.
    #[id = "silence"]
    pub silence: EnumParam<Silence>,
    /// Which weights play.
    #[id = "drummer"]
    pub weights: EnumParam<Drummer>,
    /// Which device predicts.
    #[id = "device"]
    pub device: EnumParam<DeviceChoice>,
}

impl Default for DrummerParams {
    fn default() -> Self {
        let (weights, style) = choices::drummer_and_style();
        let seeds = IntRange::Linear { min: 0, max: 9999 };
        Self {
            follow: share("Follow", 0.5),
            style,
            fills: EnumParam::new("Fills", FillChoice::Free),
            fill_now: BoolParam::new("Fill now", false),
            new_idea: BoolParam::new("New idea", false),
            variation: share("Variation", 0.1),
            seed: IntParam::new("Seed", DEFAULT_SEED.cast_signed(), seeds),
            silence: EnumParam::new("Silence", Silence::LayOut),
            weights,
            device: EnumParam::new("Device", DeviceChoice::default()).non_automatable(),
        }
    }
}

/// How it is played.
#[derive(Debug, Params)]
pub struct FeelParams {
    /// How late odd sixteenths are.
    #[id = "swing"]
    pub swing: FloatParam,
    /// How late off-beat eighths are.
    #[id = "shuffle"]
    pub shuffle: FloatParam,
    /// How loosely hits are placed.
    #[id = "humanise"]
    pub humanise: FloatParam,
    /// How much of the drummer's own placement is heard.
    #[id = "feel"]
    pub own: FloatParam,
    /// Gain of every velocity.
    #[id = "velocity"]
    pub velocity: FloatParam,
}

impl Default for FeelParams {
    fn default() -> Self {
        let gains = FloatRange::Linear { min: 0.0, max: 2.0 };
        Self {
            swing: share("Swing", 0.0),
            shuffle: share("Shuffle", 0.0),
            humanise: share("Humanise", 0.15),
            own: share("Feel", 1.0),
            velocity: FloatParam::new("Velocity", 1.0, gains),
        }
    }
}
