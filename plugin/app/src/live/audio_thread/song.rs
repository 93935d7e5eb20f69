//! The song position, from whichever time source is followed. Pure; audio thread.

use nice_plug::prelude::Transport;

use super::midi_clock::ClockTime;

/// The time source followed right now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Following {
    /// None: the performer runs free or rests.
    #[default]
    Nothing,
    /// A MIDI clock.
    Clock,
    /// The JACK transport.
    Jack,
}

/// Tempo and meter for what the time source does not provide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OwnTime {
    /// Tempo in BPM.
    pub(crate) tempo_bpm: f64,
    /// Quarter notes per measure.
    pub(crate) quarters: i32,
}

/// A rolling JACK transport at the first frame of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct JackTime {
    /// Frames since the start of the transport.
    pub(crate) frame: u32,
    /// Bar, beat and tick, if there is a timebase master.
    pub(crate) bbt: Option<Bbt>,
}

/// Bar, beat and tick from a timebase master. A beat here is a note of the meter's denominator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bbt {
    /// From 1.
    pub(crate) bar: f64,
    /// From 1.
    pub(crate) beat: f64,
    /// From 0, below `ticks_per_beat`.
    pub(crate) tick: f64,
    /// Above 0.
    pub(crate) ticks_per_beat: f64,
    /// Beats per minute.
    pub(crate) beats_per_minute: f64,
    /// Numerator of the meter.
    pub(crate) numerator: f32,
    /// Denominator of the meter.
    pub(crate) denominator: f32,
    /// Frames from this position to the first frame of the period.
    pub(crate) offset_frames: u32,
}

impl Bbt {
    /// Quarter notes per beat.
    fn quarters_per_beat(&self) -> f64 {
        4.0 / f64::from(self.denominator)
    }

    /// Start of the bar, in quarter notes, as if every bar were as long as this one.
    fn bar_start(&self) -> f64 {
        (self.bar - 1.0) * f64::from(self.numerator) * self.quarters_per_beat()
    }

    /// Tempo in BPM.
    fn tempo_bpm(&self) -> f64 {
        self.beats_per_minute * self.quarters_per_beat()
    }

    /// Quarter notes since the beginning of the song.
    fn position(&self, sample_rate_hz: f64) -> f64 {
        // Bars and beats count from 1, ticks from 0.
        let beats = self.beat - 1.0 + self.tick / self.ticks_per_beat;
        let since = f64::from(self.offset_frames) / sample_rate_hz / 60.0 * self.tempo_bpm();
        self.bar_start() + beats * self.quarters_per_beat() + since
    }
}

/// Follows the JACK transport from period to period.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JackFollower {
    /// Transport frame and position of the next period, unless the transport jumps.
    expected: Option<(u32, f64)>,
}

impl JackFollower {
    /// The song time of a period. Call it once per period, with `None` if the transport is not rolling.
    pub(crate) fn follow(
        &mut self,
        jack: Option<&JackTime>,
        n_frames: u32,
        own: OwnTime,
        sample_rate_hz: f64,
    ) -> Option<SongTime> {
        let Some(jack) = jack else {
            self.expected = None;
            return None;
        };
        let time = match jack.bbt {
            None => SongTime {
                position: f64::from(jack.frame) / sample_rate_hz / 60.0 * own.tempo_bpm,
                tempo_bpm: own.tempo_bpm,
                meter: (own.quarters, 4),
                bar_start: None,
            },
            Some(bbt) => {
                let told = bbt.position(sample_rate_hz);
                // Ticks are whole numbers, so interpolate between them.
                let grain = 1.5 * bbt.quarters_per_beat() / bbt.ticks_per_beat;
                let flows = self.expected.filter(|(frame, position)| {
                    *frame == jack.frame && (position - told).abs() <= grain
                });
                let position = flows.map_or(told, |(_, position)| position);
                let length = f64::from(bbt.numerator) * bbt.quarters_per_beat();
                // The interpolated position may be one bar before or after the reported one.
                let bars = ((position - bbt.bar_start()) / length + 1e-9).floor();
                SongTime {
                    position,
                    tempo_bpm: bbt.tempo_bpm(),
                    meter: (whole(bbt.numerator), whole(bbt.denominator)),
                    bar_start: Some(bbt.bar_start() + bars * length),
                }
            }
        };
        let passes = f64::from(n_frames) / sample_rate_hz / 60.0 * time.tempo_bpm;
        self.expected = Some((jack.frame.wrapping_add(n_frames), time.position + passes));
        Some(time)
    }
}

/// A position in a rolling song.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SongTime {
    /// Quarter notes since the beginning of the song.
    position: f64,
    /// Tempo in BPM.
    pub(crate) tempo_bpm: f64,
    meter: (i32, i32),
    bar_start: Option<f64>,
}

impl SongTime {
    /// The position of a MIDI clock, which has no meter.
    pub(crate) fn of_clock(clock: ClockTime, own: OwnTime) -> Self {
        Self {
            position: clock.position_beats,
            tempo_bpm: clock.tempo_bpm,
            meter: (own.quarters, 4),
            bar_start: None,
        }
    }

    /// The position some frames later.
    pub(crate) fn after(self, n_frames: u32, sample_rate_hz: f64) -> Self {
        let passed = f64::from(n_frames) / sample_rate_hz / 60.0 * self.tempo_bpm;
        let position = self.position + passed;
        let length = f64::from(self.meter.0) * 4.0 / f64::from(self.meter.1);
        Self {
            position,
            bar_start: self
                .bar_start
                .map(|start| start + ((position - start) / length + 1e-9).floor() * length),
            ..self
        }
    }
}

/// The transport for the instrument. Without a song it is stopped, so that the parameter Free run decides.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the framework's sample rate is of single precision"
)]
pub(crate) fn transport(song: Option<SongTime>, own: OwnTime, sample_rate_hz: f64) -> Transport {
    let mut transport = Transport::new(sample_rate_hz as f32);
    transport.tempo = Some(song.map_or(own.tempo_bpm, |song| song.tempo_bpm));
    transport.pos_beats = Some(song.map_or(0.0, |song| song.position));
    let meter = song.map_or((own.quarters, 4), |song| song.meter);
    transport.time_sig_numerator = Some(meter.0);
    transport.time_sig_denominator = Some(meter.1);
    transport.bar_start_pos_beats = song.and_then(|song| song.bar_start);
    transport.playing = song.is_some();
    transport
}

/// A meter's numerator or denominator as an integer; 0, which is no valid meter, if it is not a whole number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float-to-int cast saturates"
)]
fn whole(number: f32) -> i32 {
    if number.fract() == 0.0 {
        number as i32
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: OwnTime = OwnTime {
        tempo_bpm: 90.0,
        quarters: 3,
    };

    fn bbt(bar: f64, beat: f64, tick: f64) -> Bbt {
        Bbt {
            bar,
            beat,
            tick,
            ticks_per_beat: 1920.0,
            beats_per_minute: 120.0,
            numerator: 4.0,
            denominator: 4.0,
            offset_frames: 0,
        }
    }

    fn at(bbt: Option<Bbt>, frame: u32) -> Option<SongTime> {
        let jack = JackTime { frame, bbt };
        JackFollower::default().follow(Some(&jack), 256, OWN, 48_000.0)
    }

    #[test]
    fn jacks_first_beat_is_position_zero() {
        for (bar, beat, tick, position) in [
            (1.0, 1.0, 0.0, 0.0),
            (1.0, 2.0, 960.0, 1.5),
            (3.0, 4.0, 0.0, 11.0),
        ] {
            let time = at(Some(bbt(bar, beat, tick)), 0);
            assert_eq!(time.map(|time| time.position), Some(position));
            let start = time.and_then(|time| time.bar_start);
            assert_eq!(start, Some((bar - 1.0) * 4.0));
        }
        let eighths = Bbt {
            numerator: 7.0,
            denominator: 8.0,
            offset_frames: 12_000,
            ..bbt(2.0, 3.0, 0.0)
        };
        let time = at(Some(eighths), 0);
        // A bar of 3.5 quarters, two eighths, and a quarter of a second at 120 eighths per minute.
        assert_eq!(time.map(|time| time.position), Some(3.5 + 1.0 + 0.25));
        assert_eq!(time.map(|time| time.tempo_bpm), Some(60.0));
        assert_eq!(time.map(|time| time.meter), Some((7, 8)));
    }

    #[test]
    fn without_a_timebase_master_the_own_tempo_and_meter_are_used() {
        let time = at(None, 96_000);
        assert_eq!(time.map(|time| time.position), Some(3.0));
        assert_eq!(time.map(|time| time.meter), Some((3, 4)));
        assert_eq!(at(None, 0).map(|time| time.position), Some(0.0));
    }

    #[test]
    fn the_position_is_interpolated_between_whole_ticks() {
        let mut follower = JackFollower::default();
        for period in 0..2000_u32 {
            let frame = period * 256;
            let truth = f64::from(frame) / 24_000.0;
            let (bar, beat) = ((truth / 4.0).floor() + 1.0, truth.floor() % 4.0 + 1.0);
            let told = bbt(bar, beat, (truth.fract() * 1920.0).floor());
            let jack = JackTime {
                frame,
                bbt: Some(told),
            };
            let time = follower.follow(Some(&jack), 256, OWN, 48_000.0);
            let off = time.map_or(f64::NAN, |time| time.position - truth);
            assert!(off.abs() < 1e-9, "period {period}: {off}");
            let start = time.and_then(|time| time.bar_start);
            assert_eq!(start, Some(((truth + 1e-9) / 4.0).floor() * 4.0));
        }
        // A real jump is followed.
        let jack = JackTime {
            frame: 0,
            bbt: Some(bbt(1.0, 1.0, 0.0)),
        };
        let time = follower.follow(Some(&jack), 256, OWN, 48_000.0);
        assert_eq!(time.map(|time| time.position), Some(0.0));
    }

    #[test]
    fn without_a_song_the_transport_is_stopped() {
        let standing = transport(None, OWN, 48_000.0);
        assert!(!standing.playing);
        let time = at(Some(bbt(1.0, 4.0, 0.0)), 0).map(|time| time.after(24_000, 48_000.0));
        let rolling = transport(time, OWN, 48_000.0);
        assert!(rolling.playing);
        assert_eq!(rolling.pos_beats, Some(4.0));
        assert_eq!(rolling.bar_start_pos_beats, Some(4.0));
        assert_eq!(rolling.tempo, Some(120.0));
    }
}
