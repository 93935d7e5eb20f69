//! Listening: what the teacher says about the player's own takes.

use candle_core::{Device, Result, Tensor};
use lockstep_core::draws;
use lockstep_models::network::NetworkParameters;
use lockstep_models::network::player::{BassRow, Brain, DrumRow, Given, PlayerNet, Rehearsal};

use super::batch::{Batch, View};
use super::excerpt::{Excerpt, Excerpts, Told};
use super::losses;
use super::run::PlayerRun;

/// Separates the draws of takes from those of people's excerpts.
const TAKES: u64 = 41;
/// Least share of a take's measures in which the bass plays.
const LEAST_BASS: f32 = 0.85;

/// The teacher: it hears the measure that it accompanies. Without `ahead` it is the player as it was, which a player that
/// learns other songs listens to so as not to forget how to play.
#[derive(Debug)]
pub struct Teacher {
    network: PlayerNet,
    ahead: usize,
}

impl Teacher {
    /// With these weights, which are no longer trained.
    ///
    /// # Errors
    /// Those of candle, if a tensor is missing or has another shape.
    pub fn new(parameters: &NetworkParameters, ahead: usize, device: &Device) -> Result<Self> {
        Ok(Self {
            network: PlayerNet::new(&parameters.on(device)?)?,
            ahead,
        })
    }
}

/// What a step teaches.
#[derive(Debug)]
pub(super) struct Lesson {
    /// Divergence of the player's hits, and of what it brings back, from the teacher's, in nats a measure.
    pub divergence: Tensor,
    /// Distance of the velocities.
    pub velocities: Tensor,
    /// Hits a measure of the takes.
    pub notes: f32,
}

/// Lets the player play to `n` basses and compares it with its teacher on those takes; `None` if no song is long enough.
pub(super) fn lesson(
    (player, values): (&PlayerNet, &NetworkParameters),
    teacher: &Teacher,
    (run, excerpts): (&PlayerRun, &Excerpts<'_>),
    place: &[u64],
    (n, device): (usize, &Device),
) -> Result<Option<Lesson>> {
    let taught = &run.distillation;
    let basses = basses(excerpts, place, n, taught.measures);
    if basses.is_empty() {
        return Ok(None);
    }
    let takes = takes(values, &basses, run, place)?;
    let m = taught.measures;
    let of = |view: View| Batch::new(&basses, Some(&takes), m, view, device);
    let ahead = View {
        ahead: teacher.ahead,
        ..View::default()
    };
    let heard = of(ahead)?;
    let theirs = losses::said(&teacher.network, &heard)?;
    let sure = theirs.wanted()?;
    let mut wanted = sure.clone();
    for (weight, view) in [
        (
            taught.bass.values().map(|weight| weight - 1.0),
            View {
                hides_bass: true,
                ..ahead
            },
        ),
        (
            taught.idea.values().map(|weight| weight - 1.0),
            View {
                hides_idea: true,
                ..ahead
            },
        ),
    ] {
        if weight.iter().any(|weight| *weight != 0.0) {
            let without = losses::said(&teacher.network, &of(view)?)?.wanted()?;
            wanted = wanted.beyond(&sure, &without, &weight, device)?;
        }
    }
    let own = of(View::default())?;
    let said = losses::said(player, &own)?;
    let [divergence, velocities] = losses::agreement(&said, &wanted, &theirs, &own)?;
    let notes = own.hits.sum_all()?.to_scalar::<f32>()? / own.n.max(1) as f32;
    Ok(Some(Lesson {
        divergence,
        velocities,
        notes,
    }))
}

/// Excerpts in which the bass plays nearly throughout, and is heard.
fn basses(excerpts: &Excerpts<'_>, place: &[u64], n: usize, measures: usize) -> Vec<Excerpt> {
    let mut at = vec![TAKES];
    at.extend(place);
    at.push(0);
    let last = at.len() - 1;
    let mut basses = Vec::new();
    for i in 0..20 * n as u64 {
        at[last] = i;
        let Some(mut excerpt) = excerpts.draw(&at) else {
            break;
        };
        let rows = &excerpt.rows[..measures + 2];
        let n_bass = rows.iter().filter(|row| !row.bass.is_empty()).count();
        let is_whole = rows.iter().all(|row| row.is_inside);
        if is_whole && n_bass as f32 >= LEAST_BASS * rows.len() as f32 {
            excerpt.hides_bass = false;
            if excerpt.told == Told::Nothing {
                excerpt.told = Told::All;
            }
            basses.push(excerpt);
        }
        if basses.len() == n {
            break;
        }
    }
    basses
}

/// The player's takes, from silence: of each song a silent row and as many as there are measures.
fn takes(
    values: &NetworkParameters,
    basses: &[Excerpt],
    run: &PlayerRun,
    place: &[u64],
) -> Result<Vec<Vec<DrumRow>>> {
    let brain = Brain::new(values)?;
    let m = run.distillation.measures;
    let mut at = vec![TAKES, run.seed];
    at.extend(place);
    let takes = basses.iter().enumerate().map(|(idx, excerpt)| {
        let bass: Vec<BassRow> = excerpt.rows[..m].iter().map(|row| row.bass).collect();
        let given: Vec<Given> = excerpt.rows[1..=m].iter().map(|row| row.given).collect();
        let rehearsal = Rehearsal {
            bass: &bass,
            given: &given,
            own: &[],
            levels: excerpt.idea.levels,
            hears_bass: true,
            temperature: run.take.temperature.values(),
            looseness: 1.0,
            key: draws::hash(&[draws::hash(&at), idx as u64]),
        };
        let mut take = vec![DrumRow::default()];
        take.extend(rehearsal.play(&brain, m));
        take
    });
    Ok(takes.collect())
}
