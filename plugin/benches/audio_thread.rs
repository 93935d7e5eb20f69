//! What a block costs the audio thread, and what a prediction costs the generator thread.
//!
//! The result is checked before it is timed. `cargo bench -p lockstep`.

use divan::{Bencher, counter::ItemsCount};
use lockstep::realtime::{
    BassEvent, BassEventKind, Block, Controls, DrumEventKind, DrumEvents, FrameOffset, Performer,
    PlanSource, Transport,
};
use lockstep::synth::Kit;
use lockstep_models::generator::{Generator, Request, Taste};
use lockstep_models::predict::{EMBEDDED_WEIGHTS, Predictor};
use lockstep_models::representation::{Beats, Meter, Onset, Plan, Step, Window};
use lockstep_models::rule::RuleGroove;

const BLOCK_FRAMES: u32 = 64;
const SAMPLE_RATE_HZ: f64 = 48_000.0;
const TEMPO_BPM: f64 = 120.0;
/// Eight measures of 4/4 at 120 BPM.
const N_BLOCKS: u32 = 12_000;

fn main() {
    divan::main();
}

/// Answers by rule when asked, which costs less than a microsecond.
#[derive(Default)]
struct Rule(Option<Request>);

impl PlanSource for Rule {
    fn publish(&mut self, request: &Request) {
        self.0 = Some(*request);
    }

    fn plan_for(&mut self, _take: u32, _measure: u64) -> Option<Plan> {
        RuleGroove.plan(&self.0?).ok()
    }
}

/// Eight measures with a bass note on every eighth, drums and kit; gives the number of drums struck.
fn eight_measures(performer: &mut Performer, kit: &mut Kit) -> u32 {
    let mut plans = Rule::default();
    let controls = Controls::default();
    let mut drums = DrumEvents::new();
    let (mut left, mut right) = ([0.0; BLOCK_FRAMES as usize], [0.0; BLOCK_FRAMES as usize]);
    let mut n_struck = 0;
    performer.reset();
    for block_idx in 0..N_BLOCKS {
        let frame = block_idx * BLOCK_FRAMES;
        // An eighth lasts 12,000 frames.
        let to_next = frame.next_multiple_of(12_000) - frame;
        let note = [BassEvent {
            frame: FrameOffset(to_next),
            kind: BassEventKind::On {
                key: 33,
                velocity: 0.8,
            },
        }];
        let block = Block {
            n_frames: BLOCK_FRAMES,
            sample_rate_hz: SAMPLE_RATE_HZ,
            transport: Some(Transport {
                is_playing: true,
                tempo_bpm: Some(TEMPO_BPM),
                position: Beats(f64::from(frame) / SAMPLE_RATE_HZ * TEMPO_BPM / 60.0),
                measure_start: None,
                meter: Some(Meter::COMMON),
            }),
            bass: if to_next < BLOCK_FRAMES { &note } else { &[] },
        };
        drums.clear();
        performer.perform(&block, &controls, &mut plans, &mut drums);
        for event in &drums {
            if let DrumEventKind::On { velocity } = event.kind {
                kit.hit(event.frame.0 as usize, event.voice, velocity);
                n_struck += 1;
            }
        }
        kit.render(&mut left, &mut right);
        divan::black_box(&left);
    }
    n_struck
}

/// The whole audio thread but for the framework, a 64-frame block an item.
#[divan::bench]
fn block_of_64_frames(bencher: Bencher<'_, '_>) {
    let mut performer = Performer::new();
    let mut kit = Kit::new(48_000.0);
    assert!(
        eight_measures(&mut performer, &mut kit) > 50,
        "drums are played"
    );
    bencher
        .counter(ItemsCount::new(N_BLOCKS))
        .bench_local(|| eight_measures(&mut performer, &mut kit));
}

/// One measure by the embedded network, one thread.
#[divan::bench(sample_count = 2000, sample_size = 1)]
fn prediction(bencher: Bencher<'_, '_>) {
    let Ok(mut predictor) = Predictor::new(EMBEDDED_WEIGHTS) else {
        panic!("the embedded weights do not load");
    };
    let mut window = Window::default();
    for step in (0..16).map(|beat| Step(beat * 4)) {
        window.begin(
            usize::try_from(step.0).unwrap_or_default(),
            Onset::new(33, 0.8),
        );
    }
    let request = Request {
        measure: 4,
        heard_steps: 16,
        window,
        taste: Taste {
            seed: 1,
            variation: 0.1,
            ..Taste::default()
        },
        ..Request::default()
    };
    assert!(predictor.predict(&request).is_ok());
    bencher.bench_local(|| predictor.predict(&request).map(|_| ()).is_ok());
}
