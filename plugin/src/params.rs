//! The parameters: what a host automates and saves. Ids are frozen; a renamed one loses every saved song.
//!
//! Read on the audio thread, once per block, as [`Controls`] and [`InputSettings`]; written by the host. Never allocates after
//! construction.

mod bass;
mod by_id;
mod choices;
mod energy;
pub(crate) mod former_ids;
mod free_run;
mod kit;
mod map;
mod pages;
mod per_voice;
mod playing;
mod voices;

pub use bass::BassParams;
pub(crate) use by_id::MOMENTARY;
pub use by_id::{ParameterError, ParameterIdx, Parameters, StoredValue};
pub use choices::{
    DeviceChoice, Drummer, FillChoice, FillLengthChoice, FollowChoice, Silence, StartChoice,
};
pub use energy::energy_wish;
pub use free_run::FreeRunParams;
pub use kit::{KitName, KitParams};
use lockstep_core::generator::GeneratorSettings;
use lockstep_core::representation::{Meter, VoiceGroup};
use lockstep_engine::realtime::{Controls, InputSettings};
pub use map::{MapChoice, MapParams, own_map};
use nice_plug::prelude::*;
pub use playing::{DensityParams, DrummerParams, FeelParams};
pub use voices::{StoredPins, VoiceParams, VoiceSwitches};

/// Range of the counter of pin edits.
const PIN_EDITS: IntRange = IntRange::Linear { min: 0, max: 999 };

/// Every parameter, in the groups that a host shows.
#[derive(Debug, Params)]
pub struct LockstepParams {
    /// Whether the drummer is silent; it keeps listening.
    #[id = "bypass"]
    pub bypass: BoolParam,
    /// How much plays.
    #[nested(group = "Density")]
    pub density: DensityParams,
    /// What is played.
    #[nested(group = "Drummer")]
    pub drummer: DrummerParams,
    /// How it is played.
    #[nested(group = "Feel")]
    pub feel: FeelParams,
    /// How the bass is heard.
    #[nested(group = "Bass")]
    pub bass: BassParams,
    /// Playing without a host's transport.
    #[nested(group = "Free run")]
    pub free_run: FreeRunParams,
    /// The built-in sound.
    #[nested(group = "Kit")]
    pub kit: KitParams,
    /// Saves a take: in the stage app, where only a person moves it. In a plugin, validators, scripts and automation move
    /// parameters too, so there it does nothing and hosts do not show it.
    #[id = "save"]
    pub save: BoolParam,
    /// Which notes the drums are sent on.
    #[nested(group = "Drum map")]
    pub map: MapParams,
    /// Which voices are heard.
    #[nested(group = "Voices")]
    pub voices: VoiceParams,
    /// The pins, which the editor sets; not a parameter.
    #[persist = "pins"]
    pub pins: StoredPins,
    /// Counts pin edits and wraps around. The drummer ignores it: hosts mark a project as changed only when a parameter
    /// changes, so this tells them that the pins did.
    #[id = "pin_edits"]
    pub pin_edits: IntParam,
}

impl Default for LockstepParams {
    fn default() -> Self {
        Self {
            bypass: BoolParam::new("Bypass", false).make_bypass(),
            density: DensityParams::default(),
            drummer: DrummerParams::default(),
            feel: FeelParams::default(),
            bass: BassParams::default(),
            free_run: FreeRunParams::default(),
            kit: KitParams::default(),
            save: BoolParam::new("Save take", false).hide(),
            map: MapParams::default(),
            voices: VoiceParams::default(),
            pins: StoredPins::default(),
            pin_edits: IntParam::new("Pin edits", 0, PIN_EDITS).non_automatable(),
        }
    }
}

/// A parameter from 0 to 1, shown in percent.
fn share(name: &str, default: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max: 1.0 })
        .with_unit(" %")
        .with_value_to_string(formatters::v2s_f32_percentage(0))
        .with_string_to_value(formatters::s2v_f32_percentage())
}

impl LockstepParams {
    /// The number of the pin edit after edit `n`, and the same as a normalised value in `[0, 1]`.
    #[cfg(feature = "editor")]
    pub(crate) fn next_pin_edit(&self, n: i32) -> (i32, f32) {
        let IntRange::Linear { min, max } = PIN_EDITS else {
            return (0, 0.0);
        };
        let last = n.max(self.pin_edits.value());
        let next = if last >= max { min } else { last + 1 };
        (next, self.pin_edits.preview_normalized(next))
    }

    /// The controls as the performer reads them.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn controls(&self) -> Controls {
        let Self {
            density,
            drummer,
            feel,
            free_run,
            ..
        } = self;
        let group = |group| match group {
            VoiceGroup::Kick => density.kick.value(),
            VoiceGroup::Snare => density.snare.value(),
            VoiceGroup::Hats => density.hats.value(),
            VoiceGroup::Toms => density.toms.value(),
            VoiceGroup::Cymbals => density.cymbals.value(),
            VoiceGroup::Percussion => density.percussion.value(),
        };
        Controls {
            is_bypassed: self.bypass.value(),
            density: density.overall.value(),
            group_density: VoiceGroup::ALL.map(group),
            muted: self.voices.muted(),
            pins: self.pins.load(),
            settings: GeneratorSettings {
                seed: drummer.seed.value().unsigned_abs(),
                variation: drummer.variation.value(),
                follow: drummer.follow.value(),
                style: u8::try_from(drummer.style.value() - 1).ok(),
                energy: energy_wish(drummer.energy.value()),
                fills: drummer.fill_amount.value(),
                ..GeneratorSettings::default()
            },
            fills: drummer.fills.value().into(),
            fill_length: drummer.fill_length.value().into(),
            fill_now: drummer.fill_now.value(),
            new_idea: drummer.new_idea.value(),
            late_hands_ms: self.bass.late_hands.value(),
            map: self.map.map(),
            shuffle: feel.shuffle.value(),
            swing: feel.swing.value(),
            humanise: feel.humanise.value(),
            feel: feel.own.value(),
            velocity: feel.velocity.value(),
            silence: drummer.silence.value().into(),
            free_run: free_run.is_on.value(),
            free_run_tempo_bpm: f64::from(free_run.tempo.value()),
            free_run_start: free_run.start.value().into(),
            tempo_follow: free_run.tempo_follow.value().into(),
            free_run_meter: u8::try_from(free_run.meter.value())
                .ok()
                .and_then(|quarters| Meter::new(quarters, 4))
                .unwrap_or_default(),
        }
    }

    /// Which of the incoming MIDI is the bass.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub fn input(&self) -> InputSettings {
        self.bass.settings()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lockstep_core::generator::FillLength;
    use lockstep_engine::realtime::FreeRunStart;

    use super::*;

    #[test]
    fn without_a_transport_a_new_instance_waits_for_the_first_note() {
        let controls = LockstepParams::default().controls();
        assert!(controls.free_run && !controls.is_bypassed);
        assert_eq!(controls.free_run_start, FreeRunStart::FirstNote);
    }

    #[test]
    fn energy_and_fills_are_the_drummers_own_until_they_are_turned() -> Result<(), ParameterError> {
        let params = Arc::new(LockstepParams::default());
        let told = |params: &LockstepParams| {
            let Controls {
                settings,
                fill_length,
                ..
            } = params.controls();
            (settings.energy, settings.fills, fill_length)
        };
        assert_eq!(told(&params), (None, 0.5, FillLength::Measure));
        let parameters = Parameters::new(Arc::clone(&params) as Arc<dyn Params>);
        for (id, text) in [
            ("energy", "-50 %"),
            ("fill_amount", "100 %"),
            ("fill_length", "Beat"),
        ] {
            parameters.set_text(parameters.find_id(id)?, text)?;
        }
        assert_eq!(told(&params), (Some(0.25), 1.0, FillLength::Beat));
        Ok(())
    }

    #[test]
    fn every_value_survives_a_round_trip_through_its_text() {
        let params = LockstepParams::default();
        for (id, param, _) in params.param_map() {
            #[expect(unsafe_code, reason = "the framework hands out pointers")]
            // SAFETY: `params` outlives the loop.
            let (steps, show, read) = unsafe {
                (
                    param.step_count(),
                    |x| param.normalized_value_to_string(x, true),
                    |text: &str| param.string_to_normalized_value(text),
                )
            };
            let n_steps = steps.unwrap_or(20).min(127);
            for step in 0..=n_steps {
                let value = step as f32 / n_steps as f32;
                let text = show(value);
                let back = read(&text).map(show);
                assert_eq!(back.as_deref(), Some(&*text), "{id} at {value}");
            }
        }
    }
}
