//! What a block costs the audio thread, and a prediction the generator thread.
//!
//! Checks each result before timing it. Run with `cargo bench --workspace --bench audio_thread`.

use divan::{Bencher, counter::ItemsCount};
use lockstep_core::generator::{Generator, GeneratorSettings, Request};
use lockstep_core::representation::{
    Hit, HitMap, Meter, Onset, Plan, Position, Presence, Swing, Voice, Window,
};
use lockstep_core::rule::RuleGroove;
use lockstep_engine::realtime::{
    BassEvent, BassEventKind, Block, Controls, DrumEventKind, DrumEvents, FrameOffset, Performer,
    PlanSource, Transport,
};
use lockstep_engine::synth::{Kit, KitChoice};
use lockstep_models::predict::{EMBEDDED_WEIGHTS, Predictor};
use lockstep_offline::OnDemand;

const BLOCK_FRAMES: u32 = 64;
const SAMPLE_RATE_HZ: f64 = 48_000.0;
const TEMPO_BPM: f64 = 120.0;
/// Eight measures of 4/4 at 120 BPM.
const N_BLOCKS: u32 = 12_000;

fn main() {
    divan::main();
}

/// Hits in each measure of [`Twenty`].
const N_HITS: u32 = 20;

/// Returns the same plan for every measure: a kick on every beat, a snare on beats two and four, hats in between.
struct Twenty(HitMap);

impl Twenty {
    fn new() -> Self {
        let sure = Presence::new(1.0).and_then(|presence| Hit::new(presence, 0.8, 0.0));
        let mut hits = HitMap::default();
        for step_idx in 0..16 {
            for (voice, is_hit) in [
                (Voice::Kick, step_idx % 4 == 0),
                (Voice::Snare, step_idx % 8 == 4),
                (Voice::ClosedHat, step_idx < 14),
            ] {
                if is_hit {
                    hits.set(step_idx, voice, sure.unwrap_or_default());
                }
            }
        }
        Self(hits)
    }
}

impl PlanSource for Twenty {
    fn publish(&mut self, request: &Request) {
        divan::black_box(request);
    }

    fn plan_for(&mut self, playback: u32, measure: u64) -> Option<Plan> {
        Some(Plan {
            playback,
            measure,
            heard_steps: 16,
            swing: Swing::STRAIGHT,
            hits: self.0,
        })
    }
}

/// Plays eight measures with a bass note on every eighth, drums and, if given, the kit; returns the number of drum
/// notes.
fn eight_measures(
    performer: &mut Performer,
    mut kit: Option<&mut Kit>,
    plans: &mut impl PlanSource,
) -> u32 {
    let controls = Controls::default();
    let mut drums = DrumEvents::new();
    let (mut left, mut right) = ([0.0; BLOCK_FRAMES as usize], [0.0; BLOCK_FRAMES as usize]);
    let mut n_struck = 0;
    performer.reset();
    for block_idx in 0..N_BLOCKS {
        let frame = block_idx * BLOCK_FRAMES;
        // An eighth note lasts 12,000 frames.
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
                position: Position::at(f64::from(frame) / SAMPLE_RATE_HZ * TEMPO_BPM / 60.0),
                measure_start: None,
                meter: Some(Meter::COMMON),
            }),
            bass: if to_next < BLOCK_FRAMES { &note } else { &[] },
        };
        drums.clear();
        performer.perform(&block, &controls, plans, &mut drums);
        for event in &drums {
            if let DrumEventKind::On { velocity } = event.kind {
                if let Some(kit) = &mut kit {
                    kit.hit(event.frame.0 as usize, event.voice, velocity);
                }
                n_struck += 1;
            }
        }
        if let Some(kit) = &mut kit {
            kit.render(&mut left, &mut right);
        }
        divan::black_box((&left, &drums));
    }
    n_struck
}

/// Everything on the audio thread except the framework; one item is a 64-frame block.
#[divan::bench]
fn block_of_64_frames(bencher: Bencher<'_, '_>) {
    let mut performer = Performer::new();
    let mut kit = Kit::new(48_000.0);
    let mut rule = OnDemand::new(|request| RuleGroove.plan(request));
    assert!(
        eight_measures(&mut performer, Some(&mut kit), &mut rule) > 50,
        "drums are played"
    );
    bencher
        .counter(ItemsCount::new(N_BLOCKS))
        .bench_local(|| eight_measures(&mut performer, Some(&mut kit), &mut rule));
}

/// The performer alone with twenty hits per measure; one item is a 64-frame block.
#[divan::bench]
fn performer_alone(bencher: Bencher<'_, '_>) {
    let mut performer = Performer::new();
    let mut twenty = Twenty::new();
    // The drummer only listens in the first measure.
    assert_eq!(
        eight_measures(&mut performer, None, &mut twenty),
        7 * N_HITS
    );
    bencher
        .counter(ItemsCount::new(N_BLOCKS))
        .bench_local(|| eight_measures(&mut performer, None, &mut twenty));
}

/// One second of a kit, in 64-frame blocks, with all fourteen voices struck eight times: only the short sounds ever fall
/// silent.
///
/// 10 ms is one percent of a core at 48 kHz.
#[divan::bench(args = ["acoustic", "brushes", "electronic"])]
fn second_of_fourteen_voices(bencher: Bencher<'_, '_>, name: &str) {
    let choice = KitChoice::ALL.into_iter().find(|kit| kit.id() == name);
    let mut kit = Kit::new(48_000.0);
    kit.set(&choice.unwrap_or_default().into());
    let mut second = || {
        let (mut left, mut right) = ([0.0; BLOCK_FRAMES as usize], [0.0; BLOCK_FRAMES as usize]);
        let mut peak = 0.0_f32;
        for block in 0..750 {
            if block % 94 == 0 {
                for voice in Voice::ALL {
                    kit.hit(5 * voice.index(), voice, 0.8);
                }
            }
            kit.render(&mut left, &mut right);
            peak = left.iter().fold(peak, |peak, sample| peak.max(*sample));
        }
        peak
    };
    assert!(second() > 0.2, "the kit sounds");
    bencher.bench_local(second);
}

/// What activating the plugin costs the host's thread for the kit, by sample rate: a background thread starts making
/// the sounds and is then told to stop.
#[divan::bench(args = [44_100, 96_000, 384_000], sample_count = 20, sample_size = 1)]
fn kit_begun(bencher: Bencher<'_, '_>, rate_hz: u32) {
    bencher.bench_local(|| Kit::new_in_background(rate_hz as f32, KitChoice::Acoustic));
}

/// Time until all sounds are ready, which an offline render waits for in its first block.
#[divan::bench(args = [44_100, 96_000, 384_000], sample_count = 5, sample_size = 1)]
fn kit_completed(bencher: Bencher<'_, '_>, rate_hz: u32) {
    bencher.bench_local(|| {
        let kit = Kit::new(rate_hz as f32);
        assert!(kit.is_complete());
        kit
    });
}

/// One measure predicted by the embedded network on one thread.
#[divan::bench(sample_count = 2000, sample_size = 1)]
fn prediction(bencher: Bencher<'_, '_>) {
    let Ok(mut predictor) = Predictor::new(EMBEDDED_WEIGHTS) else {
        panic!("the embedded weights do not load");
    };
    let mut window = Window::default();
    for beat in 0..16 {
        window.begin(4 * beat, Onset::new(33, 0.8));
    }
    let request = Request {
        measure: 4,
        heard_steps: 16,
        window,
        settings: GeneratorSettings {
            seed: 1,
            variation: 0.1,
            ..GeneratorSettings::default()
        },
        ..Request::default()
    };
    assert!(predictor.predict(&request).is_ok());
    bencher.bench_local(|| predictor.predict(&request).map(|_| ()).is_ok());
}
