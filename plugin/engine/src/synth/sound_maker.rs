//! The background thread that makes the kits' sounds: the first instance starts it, the last one ends it.
//!
//! It serves its clients in the order in which they joined, one sound at a time, the sounds of a client's chosen kit first.
//! It puts each sound into the bank, where the audio threads find it; it never frees anything that they could be reading.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "makes sounds on a thread of the process"
)]

use std::io;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use lockstep_core::representation::{N_VOICES, Voice};

use super::bank::{Bank, SoundIdx};
use super::settings::KitChoice;
use super::strokes::stroke;
use crate::shared_thread::{Registration, Service, SharedThread, SharedThreadCell};

/// How long the thread sleeps while every bank is complete. A new client wakes it at once.
const POLL_INTERVAL: Duration = Duration::from_hours(1);

/// The one such thread of this process.
static MAKER: SharedThreadCell<BankClient> = Mutex::new(Weak::new());

/// The voices, starting with those that a song is likely to begin with.
const BY_USE: [Voice; N_VOICES] = [
    Voice::Kick,
    Voice::Snare,
    Voice::ClosedHat,
    Voice::Crash,
    Voice::Ride,
    Voice::OpenHat,
    Voice::PedalHat,
    Voice::SideStick,
    Voice::Shaker,
    Voice::Tambourine,
    Voice::Clap,
    Voice::HighTom,
    Voice::MidTom,
    Voice::LowTom,
];

/// A kit's registration while its bank is being completed. Dropping the last one of the process joins the thread, which takes
/// a few milliseconds: drop the bank first.
pub(super) type MakerRegistration = Registration<BankClient>;

/// Has the missing sounds of a bank made in the background, those of one kit first.
///
/// # Errors
/// If the thread cannot be started.
pub(super) fn complete_in_background(
    bank: &Arc<Bank>,
    first: KitChoice,
) -> io::Result<MakerRegistration> {
    let start = || SharedThread::start("lockstep-kit", POLL_INTERVAL, SoundMaker::default());
    let thread = SharedThread::of_process(&MAKER, start)?;
    Ok(thread.join(BankClient {
        bank: Arc::downgrade(bank),
        first,
    }))
}

/// A bank to complete, unless every kit that uses it has been dropped.
#[derive(Debug)]
pub(super) struct BankClient {
    bank: Weak<Bank>,
    first: KitChoice,
}

/// The sounds still to be made.
#[derive(Default)]
struct SoundMaker {
    /// By client, in the order in which they joined; clients whose bank is complete are removed.
    queues: Vec<(u64, Weak<Bank>, Vec<SoundIdx>)>,
}

impl Service for SoundMaker {
    type Client = BankClient;

    fn join(&mut self, id: u64, client: BankClient) {
        let mut order = order(client.first);
        // `poll` pops from the end.
        order.reverse();
        self.queues.push((id, client.bank, order));
    }

    fn leave(&mut self, id: u64) {
        self.queues.retain(|(other, ..)| *other != id);
    }

    fn poll(&mut self) -> bool {
        let Some((_, bank, order)) = self.queues.first_mut() else {
            return false;
        };
        let next = order.pop();
        // Held only briefly, so that the kits' threads free the bank.
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
            self.queues.remove(0);
        }
        true
    }
}

/// All sounds: those of the kit `first` in the order of [`BY_USE`], then the others.
fn order(first: KitChoice) -> Vec<SoundIdx> {
    let of_kit = BY_USE.into_iter().flat_map(|voice| {
        // Hard, medium and soft hits and the hits after them, which may be different sounds.
        let hits = [1.0, 0.5, 0.1]
            .into_iter()
            .flat_map(|velocity| [(velocity, 0), (velocity, 1)]);
        let strokes =
            hits.filter_map(move |(velocity, n_hits)| stroke(first, voice, velocity, n_hits));
        strokes.map(|stroke| stroke.sound)
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
            Recording::SlappedSnare,
            Recording::BrushedSnare,
            Recording::SweptSnare,
        ];
        assert_eq!(order(KitChoice::Brushes)[..4], brushes.map(SoundIdx::from));
        order(KitChoice::Off);
    }

    /// Calls `poll` until nothing is left, at most `most` times. Returns how often there was work.
    fn poll_until_done(maker: &mut SoundMaker, most: usize) -> usize {
        (0..most).take_while(|_| maker.poll()).count()
    }

    #[test]
    fn every_client_gets_its_bank_unless_it_has_left() {
        let mut maker = SoundMaker::default();
        let banks = [9_001.0, 9_002.0, 9_003.0].map(Bank::of_process);
        for (id, bank) in (0..).zip(&banks) {
            let bank = Arc::downgrade(bank);
            let first = KitChoice::Brushes;
            maker.join(id, BankClient { bank, first });
        }
        maker.leave(1);
        assert_eq!(poll_until_done(&mut maker, 1_000), 2 * N_SOUNDS);
        let n_made = banks.each_ref().map(|bank| {
            SoundIdx::all()
                .filter(|at| bank.sound(*at).is_some())
                .count()
        });
        assert_eq!(n_made, [N_SOUNDS, 0, N_SOUNDS]);
    }

    #[test]
    fn a_dropped_bank_is_skipped_and_delays_no_other() {
        let mut maker = SoundMaker::default();
        let (gone, here) = (Bank::of_process(9_011.0), Bank::of_process(9_012.0));
        for (id, bank) in (0..).zip([&gone, &here]) {
            let bank = Arc::downgrade(bank);
            let first = KitChoice::default();
            maker.join(id, BankClient { bank, first });
        }
        drop(gone);
        assert_eq!(poll_until_done(&mut maker, 1_000), 2 * N_SOUNDS);
        assert!(SoundIdx::all().all(|at| here.sound(at).is_some()));
        assert!(!maker.poll());
    }
}
