//! One voice of the kit: its hits that sound together, and which of them gives way.
//!
//! On the audio thread; never allocates, locks, waits or logs.

use lockstep_core::representation::Voice;

use super::bank::Bank;
use super::glide::Glide;
use super::kit::CHUNK;
use super::late::Late;
use super::player::Player;

/// Sounding hits of one voice: those that ring and those that fade away under them.
const N_PLAYERS: usize = 8;

/// One voice and its hits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drum {
    pub(super) voice: Voice,
    players: [Player; N_PLAYERS],
    /// The last hit whose sound is not made yet.
    late: Option<Late>,
    /// Hits since the start.
    pub(super) n_hits: u32,
    /// Left and right.
    pub(super) sides: [Glide; 2],
}

/// Hits of one voice that ring on together; with one more the quietest of them fades.
fn max_ringing(voice: Voice) -> usize {
    match voice {
        Voice::Crash | Voice::Ride => 3,
        _ => 2,
    }
}

impl Drum {
    /// A voice at rest.
    pub(super) fn new(voice: Voice) -> Self {
        Self {
            voice,
            players: [Player::default(); N_PLAYERS],
            late: None,
            n_hits: 0,
            sides: [Glide::at(1.0); 2],
        }
    }

    /// Silences it at once and forgets its hits.
    pub(super) fn reset(&mut self) {
        self.players = [Player::default(); N_PLAYERS];
        self.late = None;
        self.n_hits = 0;
    }

    /// Begins a hit, or notes it where its sound is not made yet.
    pub(super) fn hit(&mut self, bank: &Bank, hit: Late) {
        match bank.sound(hit.sound()) {
            Some(sound) => self.start(hit.on_time(sound.len()), hit.steal_frames()),
            None => self.late = Some(hit),
        }
    }

    /// Lets everything die away.
    pub(super) fn fade(&mut self, total: u32) {
        self.late = None;
        for player in &mut self.players {
            player.fade(total);
        }
    }

    /// Whether nothing sounds or is to sound.
    pub(super) fn is_silent(&self) -> bool {
        self.late.is_none() && self.players.iter().all(|player| player.sound().is_none())
    }

    /// Begins the late hit where its sound has come, in the middle; else it waits for another `n` frames.
    pub(super) fn catch_up(&mut self, bank: &Bank, n: usize) {
        if let Some(hit) = &mut self.late {
            let Some(sound) = bank.sound(hit.sound()) else {
                hit.miss(n);
                return;
            };
            let (player, steal_frames) = (hit.now(sound.len()), hit.steal_frames());
            self.late = None;
            self.start(player, steal_frames);
        }
    }

    fn start(&mut self, player: Player, steal_frames: u32) {
        let ringing = self.players.iter().filter(|player| player.is_ringing());
        if ringing.count() >= max_ringing(self.voice)
            && let Some(quietest) = quietest(self.players.iter_mut().filter(|p| p.is_ringing()))
        {
            quietest.fade(steal_frames);
        }
        // A free place, which is silent, or that of the quietest hit that fades; fewer ring than there are places.
        if let Some(place) = quietest(self.players.iter_mut().filter(|p| !p.is_ringing())) {
            *place = player;
        }
    }

    /// Adds what its hits sound like next.
    pub(super) fn mix(&mut self, bank: &Bank, glide_step: f32, out: &mut [[f32; 2]]) {
        let is_settled = self.sides.iter().all(|side| side.is_settled());
        // Most drums are silent most of the time, and no knob is turned.
        if is_settled && self.players.iter().all(|player| player.sound().is_none()) {
            return;
        }
        let mut sound = [[0.0; 2]; CHUNK];
        if let Some(sound) = sound.get_mut(..out.len()) {
            for player in &mut self.players {
                // It plays what was there when it began, and is there still.
                if let Some(frames) = player.sound().and_then(|at| bank.sound(at)) {
                    player.mix(frames, sound);
                }
            }
        }
        if is_settled {
            let [left, right] = &self.sides;
            for ([a, b], [from_a, from_b]) in out.iter_mut().zip(sound) {
                *a += left.now * from_a;
                *b += right.now * from_b;
            }
            return;
        }
        for (out, frame) in out.iter_mut().zip(sound) {
            for ((out, sample), side) in out.iter_mut().zip(frame).zip(&mut self.sides) {
                *out += side.next(glide_step) * sample;
            }
        }
    }
}

fn quietest<'a>(players: impl Iterator<Item = &'a mut Player>) -> Option<&'a mut Player> {
    players.min_by(|a, b| a.level().total_cmp(&b.level()))
}
