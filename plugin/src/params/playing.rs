//! What the drummer plays, how much and how.

use lockstep_core::generator::DEFAULT_SEED;
use nice_plug::prelude::*;

use super::choices::DeviceChoice;
use super::choices::{self, Drummer, FillChoice, FillLengthChoice, Silence};
use super::{energy, share};

/// How much plays.
#[derive(Debug, Params)]
pub struct DensityParams {
    /// Overall density.
    #[id = "density"]
    pub overall: FloatParam,
    /// Density of the kick.
    #[id = "kick_density"]
    pub kick: FloatParam,
    /// Density of snare, side stick and clap.
    #[id = "snare_density"]
    pub snare: FloatParam,
    /// Density of the hats.
    #[id = "hats_density"]
    pub hats: FloatParam,
    /// Density of the toms.
    #[id = "toms_density"]
    pub toms: FloatParam,
    /// Density of crash and ride.
    #[id = "cymbals_density"]
    pub cymbals: FloatParam,
    /// Density of tambourine and shaker.
    #[id = "percussion_density"]
    pub percussion: FloatParam,
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
            percussion: share("Percussion density", 0.5),
        }
    }
}

/// What is played.
#[derive(Debug, Params)]
pub struct DrummerParams {
    /// How closely the drums follow the bass.
    #[id = "follow"]
    pub follow: FloatParam,
    /// How loud and busy the drummer plays, from -1 to 1; 0 leaves it to the drummer.
    #[id = "energy"]
    pub energy: FloatParam,
    /// Style, counted from 1; 0 leaves it to the drummer.
    #[id = "style"]
    pub style: IntParam,
    /// When to play fills.
    #[id = "fills"]
    pub fills: EnumParam<FillChoice>,
    /// How much of its measure a fill takes that is asked for.
    #[id = "fill_length"]
    pub fill_length: EnumParam<FillLengthChoice>,
    /// How often the drummer plays fills of its own.
    #[id = "fill_amount"]
    pub fill_amount: FloatParam,
    /// Plays a fill in the next measure.
    #[id = "fill_now"]
    pub fill_now: BoolParam,
    /// Plays a new idea from the next measure on.
    #[id = "new_idea"]
    pub new_idea: BoolParam,
    /// How much the drummer varies from measure to measure.
    #[id = "variation"]
    pub variation: FloatParam,
    /// Seed: the same one answers the same bass alike.
    #[id = "seed"]
    pub seed: IntParam,
    /// What the drummer does when the bass is silent.
    #[id = "silence"]
    pub silence: EnumParam<Silence>,
    /// Which drummer plays.
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
            energy: energy::param(),
            style,
            fills: EnumParam::new("Fills", FillChoice::Free),
            fill_length: EnumParam::new("Fill length", FillLengthChoice::Measure),
            fill_amount: share("Fill amount", 0.5),
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
    /// How late odd steps (from 0) are, up to half a step.
    #[id = "swing"]
    pub swing: FloatParam,
    /// How late off-beat eighths are, up to one step.
    #[id = "shuffle"]
    pub shuffle: FloatParam,
    /// How loosely hits are played.
    #[id = "humanise"]
    pub humanise: FloatParam,
    /// How much of the drummer's own timing is heard; 0 is on the grid.
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
            humanise: share("Humanise", 0.0),
            own: share("Feel", 1.0),
            velocity: FloatParam::new("Velocity", 1.0, gains),
        }
    }
}
