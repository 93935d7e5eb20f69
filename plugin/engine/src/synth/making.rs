//! The thread that makes the kits' sounds while the host goes on: the first instance starts it, the last ends it.
//!
//! It serves the members in the order in which they came, one sound at a time, and first those of the kit that a member plays.
//! What it makes it puts into the bank, where the audio threads find it; it frees nothing that they could be reading.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "makes sounds on a thread of the process"
)]

use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use lockstep_core::representation::Voice;

use super::bank::{Bank, SoundIdx};
use super::settings::KitChoice;
use super::strokes::stroke;
use crate::shared_thread::{Membership, Shared, SharedThread, Work};

/// How long the thread sleeps while no bank lacks a sound. A new member wakes it at once.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// The thread of this process.
static MAKER: Shared<Member> = Mutex::new(Weak::new());

/// The voices, those first that the first measures of a song have.
const BY_USE: [Voice; 9] = [
    Voice::Kick,
    Voice::Snare,
    Voice::ClosedHat,
    Voice::Crash,
    Voice::Ride,
    Voice::OpenHat,
    Voice::HighTom,
    Voice::MidTom,
    Voice::LowTom,
];

/// A kit's wish that its bank be completed. Dropping the last one of the process waits for the thread's end, which takes a
/// few milliseconds: drop the bank first.
pub(super) type Making = Membership<Member>;

/// Has the rest of a bank made in the background, the sounds of one kit first.
///
/// # Errors
/// If the system gives no thread.
pub(super) fn complete_soon(bank: &Arc<Bank>, first: KitChoice) -> io::Result<Making> {
    let start = || SharedThread::start("lockstep-kit", LOOK_EVERY, Maker::default());
    let thread = SharedThread::shared(&MAKER, start)?;
    Ok(thread.join(Member {
        bank: Arc::downgrade(bank),
        first,
    }))
}

/// A bank that is to be completed; once no kit has it, it is not.
#[derive(Debug)]
pub(super) struct Member {
    bank: Weak<Bank>,
    first: KitChoice,
}

/// What is still to be made.
#[derive(Default)]
struct Maker {
    /// By member, in the order in which they came; those whose bank is complete are gone.
    wishes: Vec<(u64, Weak<Bank>, Vec<SoundIdx>)>,
}

impl Work for Maker {
    type Member = Member;

    fn join(&mut self, id: u64, member: Member) {
        let mut order = order(member.first);
        // Taken from the end.
        order.reverse();
        self.wishes.push((id, member.bank, order));
    }

    fn leave(&mut self, id: u64) {
        self.wishes.retain(|(other, ..)| *other != id);
    }

    fn look(&mut self) -> bool {
        let Some((_, bank, order)) = self.wishes.first_mut() else {
            return false;
        };
        let next = order.pop();
        // Held no longer than this: the kits' threads free it.
        let missing = |bank: Arc<Bank>| {
            let at = next.filter(|at| bank.sound(*at).is_none())?;
            Some((at, bank.rate_hz()))
        };
        if let Some((at, rate_hz)) = bank.upgrade().and_then(missing) {
            let is_wanted = || bank.strong_count() > 0;
            if let Some(sound) = at.make(rate_hz, &is_wanted)
                && let Some(bank) = bank.upgrade()
            {
                bank.put(at, sound);
            }
        }
        if order.is_empty() {
            self.wishes.remove(0);
        }
        true
    }
}

/// All sounds: those of a kit in the order of [`BY_USE`], then the others.
fn order(first: KitChoice) -> Vec<SoundIdx> {
    let of_kit = BY_USE.into_iter().flat_map(|voice| {
        // Struck hard and softly, which may be two sounds.
        let strokes = [1.0, 0.1].map(|velocity| stroke(first, voice, velocity, 0));
        strokes.into_iter().flatten().map(|stroke| stroke.sound)
    });
    let mut order = Vec::new();
    for at in of_kit.chain(SoundIdx::all()) {
        if !order.contains(&at) {
            order.push(at);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::super::bank::{N_SOUNDS, Recording};
    use super::*;

    #[test]
    fn the_chosen_kit_is_made_first_and_all_others_after_it() {
        let order = |choice| {
            let order = order(choice);
            assert_eq!(order.len(), N_SOUNDS);
            order
        };
        let first = |choice| order(choice).first().copied();
        assert_eq!(first(KitChoice::Acoustic), Some(Recording::Kick.into()));
        assert_eq!(
            first(KitChoice::Electronic),
            Some(SoundIdx::machine(Voice::Kick))
        );
        let brushes = [
            Recording::FeltKick,
            Recording::BrushedSnare,
            Recording::SweptSnare,
        ];
        assert_eq!(order(KitChoice::Brushes)[..3], brushes.map(SoundIdx::from));
        order(KitChoice::Off);
    }

    /// A maker of its own that looks until nothing is left, at most so often.
    fn look_until_done(maker: &mut Maker, most: usize) -> usize {
        (0..most).take_while(|_| maker.look()).count()
    }

    #[test]
    fn every_member_gets_its_bank_and_one_that_left_none() {
        let mut maker = Maker::default();
        let banks = [9_001.0, 9_002.0, 9_003.0].map(Bank::of_process);
        for (id, bank) in (0..).zip(&banks) {
            let bank = Arc::downgrade(bank);
            let first = KitChoice::Brushes;
            maker.join(id, Member { bank, first });
        }
        maker.leave(1);
        assert_eq!(look_until_done(&mut maker, 1_000), 2 * N_SOUNDS);
        let n_made = banks.each_ref().map(|bank| {
            SoundIdx::all()
                .filter(|at| bank.sound(*at).is_some())
                .count()
        });
        assert_eq!(n_made, [N_SOUNDS, 0, N_SOUNDS]);
    }

    #[test]
    fn a_bank_that_is_gone_costs_nothing_and_keeps_nobody_waiting() {
        let mut maker = Maker::default();
        let (gone, here) = (Bank::of_process(9_011.0), Bank::of_process(9_012.0));
        for (id, bank) in (0..).zip([&gone, &here]) {
            let bank = Arc::downgrade(bank);
            let first = KitChoice::default();
            maker.join(id, Member { bank, first });
        }
        drop(gone);
        assert_eq!(look_until_done(&mut maker, 1_000), 2 * N_SOUNDS);
        assert!(SoundIdx::all().all(|at| here.sound(at).is_some()));
        assert!(!maker.look());
    }
}
