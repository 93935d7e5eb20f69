//! Teaching a player as a whole, on a few generated songs: every phase changes every weight that it teaches, a phase that was
//! stopped resumes to the same bits, and what is learnt is what the songs play.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{Device, Tensor};
use lockstep_core::draws;
use lockstep_core::family::Family;
use lockstep_core::representation::{Meter, Swing, Voice};
use lockstep_lab::corpus::{
    BassNote, Corpus, DrumHit, GrooveLabel, MeasureRecord, SongRecord, Split, write,
};
use lockstep_lab::training::player::{
    Excerpts, Ideas, Losses, Phase, PhaseKind, PlayerRun, Teacher,
};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

const RUN: &str = "
replicas = 2
[likelihood]
steps = 40
excerpts = 6
learning-rate = 0.002
warm-up = 4
average = 0.9
[teacher]
steps = 40
excerpts = 6
learning-rate = 0.001
warm-up = 4
[listening]
steps = 40
excerpts = 2
learning-rate = 0.0005
warm-up = 4
[distillation]
measures = 6
[take]
temperature = 0.9
lean = 0.0
returning = [0.0, 0.0, 0.0, 0.0]
answering = 0.0
least-chance = 0.0
looseness = 1.0
guidance = 1.0
family-guidance = 1.0
family-temperature = 1.0
family-returning = [0.0, 0.0, 0.0, 0.0]
idea-guidance = 1.0
idea-least-share = 0.0
naming = 0.0
";

/// Songs whose kick is on the bass's steps, with a snare on the backbeat and hats in eighths.
fn corpus(folder: &Path) -> TestResult<Corpus> {
    let hit = |step_idx, voice: Voice, velocity| DrumHit {
        step_idx,
        voice: voice as u8,
        velocity,
        offset: 3,
    };
    let measure = |song: u64| {
        let mut measure = MeasureRecord {
            meter: Meter::COMMON,
            tempo_bpm: 100.0,
            swing: Swing::STRAIGHT,
            bass: Vec::new(),
            hits: Vec::new(),
        };
        for step in 0..16_u8 {
            if draws::hash(&[song, u64::from(step)]).is_multiple_of(3) {
                measure.bass.push(BassNote::new(step, 33, 90, 1));
                measure.hits.push(hit(step, Voice::Kick, 100));
            }
            if step % 8 == 4 {
                measure.hits.push(hit(step, Voice::Snare, 110));
            }
            if step % 2 == 0 {
                measure.hits.push(hit(step, Voice::ClosedHat, 70));
            }
        }
        measure
    };
    let path = folder.join("drawn.lockstep");
    let songs = (0..12_u64).map(|song| SongRecord {
        name: format!("song {song}"),
        split: if song % 4 == 3 {
            Split::Valid
        } else {
            Split::Train
        },
        label: usize::try_from(song)
            .ok()
            .and_then(|song| Family::ALL.get(song))
            .map(|&family| GrooveLabel {
                family,
                certainty: 1.0,
                is_known: true,
            }),
        measures: (0..40).map(|_| measure(song)).collect(),
        ..SongRecord::default()
    });
    write(&path, songs)?;
    Ok(Corpus::open(&path)?)
}

fn bits(state: &BTreeMap<String, Tensor>) -> TestResult<Vec<(String, Vec<u32>)>> {
    let tensors = state.iter().map(|(name, tensor)| {
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        Ok((name.clone(), values.into_iter().map(f32::to_bits).collect()))
    });
    tensors.collect()
}

fn play(phase: &mut Phase<'_>, songs: &Excerpts<'_>, n: usize) -> TestResult<Vec<Losses>> {
    let steps = (0..n).map(|_| phase.step(songs));
    Ok(steps.collect::<Result<_, _>>()?)
}

#[test]
fn every_phase_learns_and_resumes_to_the_same_bits() -> TestResult {
    let folder = tempfile::tempdir()?;
    let corpus = corpus(folder.path())?;
    let run = PlayerRun::parse(RUN)?;
    let ideas = Ideas::fit(&corpus, &run.data);
    let songs = Excerpts::new(&corpus, &run, &ideas, Split::Train)?;
    let valid = Excerpts::new(&corpus, &run, &ideas, Split::Valid)?;
    let cpu = &Device::Cpu;

    let mut first = Phase::new(&run, PhaseKind::Likelihood, None, None, cpu)?;
    let before = first.validate(&valid, 16)?.hits;
    play(&mut first, &songs, 30)?;
    let after = first.validate(&valid, 16)?;
    // Nothing but the kick differs from song to song; at chance it would take many times as much.
    assert!(after.hits < 0.25 * before, "{before} to {}", after.hits);
    assert!(after.velocities < 0.0 && after.ideas.is_finite());

    // The values as they are now: those of the checkpoint go on changing with the weights.
    let saved = first.checkpoint()?.into_iter();
    let saved: BTreeMap<String, Tensor> = saved
        .map(|(name, tensor)| Ok((name, tensor.copy()?)))
        .collect::<candle_core::Result<_>>()?;
    let ahead = play(&mut first, &songs, 3)?;
    let mut resumed = Phase::new(&run, PhaseKind::Likelihood, None, None, cpu)?;
    resumed.resume(&saved, 30)?;
    assert_eq!(play(&mut resumed, &songs, 3)?, ahead);
    assert_eq!(bits(&resumed.checkpoint()?)?, bits(&first.checkpoint()?)?);

    let player = first.average().clone();
    let mut teacher = Phase::new(&run, PhaseKind::Teacher, Some(&player), None, cpu)?;
    play(&mut teacher, &songs, 30)?;
    let heard = teacher.validate(&valid, 16)?.hits;
    assert!(
        heard < after.hits,
        "it hears the kick's bass: {heard} for {}",
        after.hits
    );

    let judge = Teacher::new(teacher.average(), 1, cpu)?;
    let mut listening = Phase::new(&run, PhaseKind::Listening, Some(&player), Some(judge), cpu)?;
    let start = bits(&listening.average().0)?;
    for losses in play(&mut listening, &songs, 4)? {
        assert!(
            losses.divergence.is_finite() && losses.divergence > 0.0,
            "{losses:?}"
        );
        assert!(losses.notes > 0.0, "its takes have hits: {losses:?}");
    }
    for ((name, before), (_, after)) in start.iter().zip(bits(&listening.average().0)?) {
        assert_ne!(*before, after, "{name} is taught");
    }
    Ok(())
}

#[test]
fn a_run_file_that_cannot_be_is_refused_by_name() {
    let refused =
        |text: &str| PlayerRun::parse(text).map_or_else(|e| e.to_string(), |_| String::new());
    assert!(PlayerRun::is_of_player(RUN));
    assert_eq!(refused(RUN), "");
    let text = RUN.replace("measures = 6", "measures = 60");
    assert!(
        refused(&text).contains("distillation.measures = 60"),
        "{}",
        refused(&text)
    );
    let text = RUN.replace("replicas = 2", "replicas = 2\ndevice = \"abacus\"");
    assert!(refused(&text).contains("abacus"), "{}", refused(&text));
    let text = format!("{RUN}\n[hidden]\nbass = 1.5\n");
    assert!(
        refused(&text).contains("hidden.bass = 1.5 is outside 0 to 1"),
        "{}",
        refused(&text)
    );
}
