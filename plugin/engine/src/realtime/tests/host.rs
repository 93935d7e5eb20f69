//! A scripted host, and generators that answer at once.

use lockstep_core::representation::{Hit, HitMap, N_VOICES, Plan, Presence, Swing, Voice};
use lockstep_core::rule;

use super::super::*;

/// Answers at once, by rule, and keeps every request.
#[derive(Default)]
pub(super) struct InstantRule {
    pub(super) asked: Vec<Request>,
    /// Answers only requests that heard fewer steps than this.
    pub(super) deaf_from: Option<usize>,
    /// Answers only requests for measures before this.
    pub(super) gone_from: Option<u64>,
    /// Answers with [`everything`] instead of the rule.
    pub(super) is_busy: bool,
    /// Moves every hit onto its step.
    pub(super) is_straight: bool,
    pub(super) plan: Option<Plan>,
}

impl PlanSource for InstantRule {
    fn publish(&mut self, request: &Request) {
        self.asked.push(*request);
        let is_late = self.deaf_from.is_some_and(|n| request.heard_steps >= n);
        let is_gone = self.gone_from.is_some_and(|n| request.measure >= n);
        if !is_late && !is_gone {
            self.plan = Some(Plan {
                playback: request.playback,
                measure: request.measure,
                heard_steps: request.heard_steps,
                swing: if self.is_straight {
                    Swing::STRAIGHT
                } else {
                    request.swing
                },
                hits: if self.is_straight {
                    straight(&everything())
                } else if self.is_busy {
                    everything()
                } else {
                    rule::groove(&request.window, request.meter)
                },
            });
        }
    }

    fn plan_for(&mut self, playback: u32, measure: u64) -> Option<Plan> {
        self.plan
            .filter(|p| (p.playback, p.measure) == (playback, measure))
    }
}

/// Hits of every voice at every step, early and late, with every presence from 1/448 to 1.
pub(super) fn everything() -> HitMap {
    let mut hits = HitMap::default();
    for step_idx in 0..32 {
        for voice in Voice::ALL {
            let place = step_idx * N_VOICES + voice.index();
            // 45 and 448 have no common factor, so every presence occurs once.
            let presence = Presence::new((place * 45 % 448 + 1) as f32 / 448.0);
            let offset = (place * 7 % 10) as f32 / 10.0 - 0.5;
            let hit = presence.and_then(|p| Hit::new(p, 0.7, offset));
            hits.set(step_idx, voice, hit.unwrap_or_default());
        }
    }
    hits
}

/// The same hits without their offsets.
fn straight(hits: &HitMap) -> HitMap {
    let mut straight = *hits;
    for step_idx in 0..32 {
        for voice in Voice::ALL {
            let hit = hits.hit(step_idx, voice);
            let on_step = Hit::new(hit.presence(), hit.velocity(), 0.0);
            straight.set(step_idx, voice, on_step.unwrap_or_default());
        }
    }
    straight
}

/// Answers with [`everything`] for every measure.
pub(super) struct Everything;

impl PlanSource for Everything {
    fn publish(&mut self, _: &Request) {}

    fn plan_for(&mut self, playback: u32, measure: u64) -> Option<Plan> {
        Some(Plan {
            playback,
            measure,
            heard_steps: 32,
            swing: Swing::STRAIGHT,
            hits: everything(),
        })
    }
}

/// Strikes the kick on every beat, and nothing else.
pub(super) struct Metronome;

impl PlanSource for Metronome {
    fn publish(&mut self, _: &Request) {}

    fn plan_for(&mut self, playback: u32, measure: u64) -> Option<Plan> {
        let mut hits = HitMap::default();
        let sure = Presence::new(1.0).and_then(|p| Hit::new(p, 0.7, 0.0));
        for step_idx in (0..16).step_by(4) {
            hits.set(step_idx, Voice::Kick, sure.unwrap_or_default());
        }
        Some(Plan {
            playback,
            measure,
            heard_steps: 16,
            swing: Swing::STRAIGHT,
            hits,
        })
    }
}

/// A note-on (with velocity) or note-off, with its frame since the start of the song.
pub(super) type Note = (u64, Voice, DrumEventKind);

/// A host that rolls from a position, with bass at the given frames.
pub(super) struct Host {
    pub(super) performer: Performer,
    pub(super) controls: Controls,
    pub(super) sample_rate_hz: f64,
    pub(super) tempo_bpm: f64,
    pub(super) tells_tempo: bool,
    pub(super) position: f64,
    pub(super) meter: Meter,
    pub(super) is_playing: bool,
    /// Sorted, frames since the start of the song.
    pub(super) bass: Vec<(u64, BassEventKind)>,
    pub(super) n_frames: u64,
    pub(super) n_blocks: u64,
    pub(super) notes: Vec<Note>,
    /// Start of the first block at whose end the drums swung, or the bass was heard to.
    pub(super) swung_from: Option<u64>,
}

impl Host {
    pub(super) fn new(sample_rate_hz: f64, position: f64) -> Self {
        Self {
            performer: Performer::new(),
            controls: Controls::default(),
            sample_rate_hz,
            tempo_bpm: 120.0,
            tells_tempo: true,
            position,
            meter: Meter::COMMON,
            is_playing: true,
            bass: Vec::new(),
            n_frames: 0,
            n_blocks: 0,
            notes: Vec::new(),
            swung_from: None,
        }
    }

    /// A host whose transport is stopped, so that the drummer plays by its own clock.
    pub(super) fn at_rest(sample_rate_hz: f64) -> Self {
        let mut host = Self::new(sample_rate_hz, 0.0);
        host.is_playing = false;
        host.controls.free_run = true;
        host
    }

    pub(super) fn frames(&self, beats: f64) -> u64 {
        (beats * 60.0 / self.tempo_bpm * self.sample_rate_hz - 1e-3).ceil() as u64
    }

    /// Adds bass notes half a step long at these beats after the start.
    pub(super) fn with_bass(mut self, beats: &[f64]) -> Self {
        for beat in beats {
            let (key, velocity) = (33, 0.8);
            self.bass
                .push((self.frames(*beat), BassEventKind::On { key, velocity }));
            self.bass
                .push((self.frames(*beat + 0.125), BassEventKind::Off { key }));
        }
        self.bass.sort_by_key(|(frame, _)| *frame);
        self
    }

    /// Adds bass notes of 20 ms, and taps, at these times in seconds.
    pub(super) fn with_events_at(mut self, notes_s: &[f64], taps_s: &[f64]) -> Self {
        let frame = |seconds: f64| (seconds * self.sample_rate_hz).round() as u64;
        let (key, velocity) = (33, 0.8);
        for note in notes_s {
            self.bass
                .push((frame(*note), BassEventKind::On { key, velocity }));
            self.bass
                .push((frame(note + 0.02), BassEventKind::Off { key }));
        }
        let taps = taps_s.iter().map(|tap| (frame(*tap), BassEventKind::Tap));
        self.bass.extend(taps);
        self.bass.sort_by_key(|(frame, _)| *frame);
        self
    }

    /// Plays until this many seconds after the start.
    pub(super) fn play_to_second(&mut self, seconds: f64, plans: &mut impl PlanSource) {
        let n_frames = (seconds * self.sample_rate_hz).round() as u64 - self.n_frames;
        self.play(n_frames, &[4096], plans);
    }

    /// When a voice was struck, in seconds after the start.
    pub(super) fn struck_s(&self, voice: Voice) -> Vec<f64> {
        let ons = self.ons().into_iter().filter(|on| on.1 == voice);
        ons.map(|on| on.0 as f64 / self.sample_rate_hz).collect()
    }

    pub(super) fn with_eighths(self, n_beats: u32) -> Self {
        let beats: Vec<_> = (0..n_beats * 2).map(|i| f64::from(i) / 2.0).collect();
        self.with_bass(&beats)
    }

    pub(super) fn block(&mut self, n_frames: u32, plans: &mut impl PlanSource) -> DrumEvents {
        let zero = self.n_frames;
        let bass: Vec<_> = self
            .bass
            .iter()
            .filter(|(frame, _)| (zero..zero + u64::from(n_frames)).contains(frame))
            .map(|(frame, kind)| BassEvent {
                frame: FrameOffset((frame - zero) as u32),
                kind: *kind,
            })
            .collect();
        let length = self.meter.length().beats();
        let block = Block {
            n_frames,
            sample_rate_hz: self.sample_rate_hz,
            transport: Some(Transport {
                is_playing: self.is_playing,
                tempo_bpm: self.tells_tempo.then_some(self.tempo_bpm),
                position: Position::at(self.position),
                measure_start: Some(Position::at((self.position / length).floor() * length)),
                meter: Some(self.meter),
            }),
            bass: &bass,
        };
        let mut out = DrumEvents::new();
        self.performer
            .perform(&block, &self.controls, plans, &mut out);
        assert!(
            out.iter().all(|e| e.frame.0 < n_frames),
            "an event lies outside its block"
        );
        let is_on = |e: &DrumEvent| e.kind != DrumEventKind::Off;
        assert!(
            out.is_sorted_by_key(|e| (e.frame, is_on(e))),
            "events are out of order"
        );
        self.notes.extend(
            out.iter()
                .map(|e| (zero + u64::from(e.frame.0), e.voice, e.kind)),
        );
        let (drums, bass) = (self.performer.score.swing(), self.performer.measure.swing);
        if !(drums.is_straight() && bass.is_straight()) {
            self.swung_from.get_or_insert(zero);
        }
        if self.is_playing {
            self.position += f64::from(n_frames) * self.tempo_bpm / 60.0 / self.sample_rate_hz;
        }
        self.n_frames += u64::from(n_frames);
        out
    }

    pub(super) fn play(&mut self, mut n_frames: u64, sizes: &[u32], plans: &mut impl PlanSource) {
        for size in sizes.iter().cycle() {
            let size = (*size).min(n_frames as u32);
            if size == 0 {
                return;
            }
            self.block(size, plans);
            self.n_blocks += 1;
            n_frames -= u64::from(size);
        }
    }

    /// Plays to a beat after the start and not a frame further.
    pub(super) fn play_to(&mut self, beats: f64, plans: &mut impl PlanSource) {
        let n_frames = self.frames(beats) - self.n_frames;
        self.play(n_frames, &[512], plans);
    }

    pub(super) fn ons(&self) -> Vec<(u64, Voice)> {
        let on =
            |(frame, voice, kind): &Note| (*kind != DrumEventKind::Off).then_some((*frame, *voice));
        self.notes.iter().filter_map(on).collect()
    }

    pub(super) fn rests_with_all_notes_ended(&self) -> bool {
        Voice::ALL.into_iter().all(|voice| {
            let kinds: Vec<_> = self
                .notes
                .iter()
                .filter(|n| n.1 == voice)
                .map(|n| n.2 == DrumEventKind::Off)
                .collect();
            kinds
                .iter()
                .enumerate()
                .all(|(i, is_off)| *is_off == (i % 2 == 1))
                && kinds.len() % 2 == 0
        })
    }
}
