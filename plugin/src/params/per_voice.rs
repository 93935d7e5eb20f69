//! The same parameters for every voice. Their ids are the voice's and the parameter's: `kick_level`, `chat_mute`.

use lockstep_core::representation::Voice;
use nice_plug::prelude::*;

/// A `T` for each voice, in the order of [`Voice::ALL`].
#[derive(Debug, Params)]
pub(super) struct PerVoice<T: Params> {
    #[nested(id_prefix = "kick")]
    kick: T,
    #[nested(id_prefix = "snare")]
    snare: T,
    #[nested(id_prefix = "side")]
    side: T,
    #[nested(id_prefix = "clap")]
    clap: T,
    #[nested(id_prefix = "chat")]
    chat: T,
    #[nested(id_prefix = "phat")]
    phat: T,
    #[nested(id_prefix = "ohat")]
    ohat: T,
    #[nested(id_prefix = "ltom")]
    ltom: T,
    #[nested(id_prefix = "mtom")]
    mtom: T,
    #[nested(id_prefix = "htom")]
    htom: T,
    #[nested(id_prefix = "crash")]
    crash: T,
    #[nested(id_prefix = "ride")]
    ride: T,
    #[nested(id_prefix = "tamb")]
    tamb: T,
    #[nested(id_prefix = "shaker")]
    shaker: T,
}

impl<T: Params> PerVoice<T> {
    /// Makes each voice's parameters.
    pub(super) fn new(make: impl Fn(Voice) -> T) -> Self {
        Self {
            kick: make(Voice::Kick),
            snare: make(Voice::Snare),
            side: make(Voice::SideStick),
            clap: make(Voice::Clap),
            chat: make(Voice::ClosedHat),
            phat: make(Voice::PedalHat),
            ohat: make(Voice::OpenHat),
            ltom: make(Voice::LowTom),
            mtom: make(Voice::MidTom),
            htom: make(Voice::HighTom),
            crash: make(Voice::Crash),
            ride: make(Voice::Ride),
            tamb: make(Voice::Tambourine),
            shaker: make(Voice::Shaker),
        }
    }

    /// A voice's parameters.
    ///
    /// # Realtime safety
    /// Never allocates, never waits.
    pub(super) fn of(&self, voice: Voice) -> &T {
        match voice {
            Voice::Kick => &self.kick,
            Voice::Snare => &self.snare,
            Voice::SideStick => &self.side,
            Voice::Clap => &self.clap,
            Voice::ClosedHat => &self.chat,
            Voice::PedalHat => &self.phat,
            Voice::OpenHat => &self.ohat,
            Voice::LowTom => &self.ltom,
            Voice::MidTom => &self.mtom,
            Voice::HighTom => &self.htom,
            Voice::Crash => &self.crash,
            Voice::Ride => &self.ride,
            Voice::Tambourine => &self.tamb,
            Voice::Shaker => &self.shaker,
        }
    }
}
