//! Excerpts as tensors.

use candle_core::{Device, Result, Tensor};
use lockstep_models::network::player::ear::{N_AROUND, N_FAMILIES};
use lockstep_models::network::player::returns::N_RETURNS;
use lockstep_models::network::player::rows::{Behind, OwnRow};
use lockstep_models::network::player::{
    DrumRow, Heard, LAGS, MEMORY, N_BASS, N_BESIDE, N_GIVEN, N_OWN, N_VOICES, Returns, beside,
};
use lockstep_models::network::{CELL_OUTPUTS, NET_STEPS};

use super::excerpt::{Drawn, Excerpt, Told};

/// What the network hears of some excerpts, and which measures it plays.
#[derive(Debug)]
pub struct Batch {
    /// What is heard.
    pub heard: Heard,
    /// Places of the played measures among the `B · M` that were heard, `(N,)`.
    pub places: Tensor,
    /// What the decoder sees, `(N, 16, N_BESIDE)`.
    pub beside: Tensor,
    /// Hits of the played measures, `(N, 16, V)`.
    pub hits: Tensor,
    /// What comes back in the played measures, `(N, N_RETURNS)`.
    pub returns: Tensor,
    /// Velocities, 0 where there is no hit.
    pub velocities: Tensor,
    /// Offsets in steps, 0 where there is no hit.
    pub offsets: Tensor,
    /// 1 for the steps that a measure has, `(N, 16, 1)`.
    pub steps: Tensor,
    /// How many measures are played.
    pub n: usize,
}

/// How a batch hears its excerpts.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// Measures of bass that are heard ahead.
    pub ahead: usize,
    /// Whether the bass is hidden everywhere.
    pub hides_bass: bool,
    /// Whether family and groove are hidden everywhere.
    pub hides_idea: bool,
}

impl Batch {
    /// Excerpts with people's drums in place of its own, or with own takes: `own` holds for each excerpt the rows that were
    /// played, which are heard and to be played again; rows before its first hit are unknown. Each excerpt has
    /// `n_measures` places, at most [`MEMORY`].
    ///
    /// # Errors
    /// Those of candle.
    pub fn new(
        excerpts: &[Excerpt],
        own: Option<&[Vec<DrumRow>]>,
        n_measures: usize,
        view: View,
        device: &Device,
    ) -> Result<Self> {
        let (b, m) = (excerpts.len(), n_measures.min(MEMORY));
        let mut sheet = Sheet::default();
        for (idx, excerpt) in excerpts.iter().enumerate() {
            let own = own.and_then(|own| own.get(idx));
            sheet.write(excerpt, own, (idx * m, m), view);
        }
        let n = sheet.places.len();
        let tensor = |values: Vec<f32>, shape: (usize, usize, usize)| {
            Tensor::from_vec(values, shape, device)
        };
        Ok(Self {
            heard: Heard {
                bass: tensor(sheet.bass, (b, m, N_BASS))?,
                own: tensor(sheet.own, (b, m, N_OWN))?,
                given: tensor(sheet.given, (b, m, N_GIVEN))?,
                no_bass: tensor(sheet.no_bass, (b, m, 1))?,
                no_own: tensor(sheet.no_own, (b, m, 1))?,
            },
            places: Tensor::from_vec(sheet.places, n, device)?,
            beside: tensor(sheet.beside, (n, NET_STEPS, N_BESIDE))?,
            hits: tensor(sheet.hits, (n, NET_STEPS, N_VOICES))?,
            returns: Tensor::from_vec(sheet.returns, (n, N_RETURNS), device)?,
            velocities: tensor(sheet.velocities, (n, NET_STEPS, N_VOICES))?,
            offsets: tensor(sheet.offsets, (n, NET_STEPS, N_VOICES))?,
            steps: tensor(sheet.steps, (n, NET_STEPS, 1))?,
            n,
        })
    }
}

/// The values of a batch while it is filled.
#[derive(Default)]
struct Sheet {
    bass: Vec<f32>,
    own: Vec<f32>,
    given: Vec<f32>,
    no_bass: Vec<f32>,
    no_own: Vec<f32>,
    places: Vec<u32>,
    beside: Vec<f32>,
    hits: Vec<f32>,
    returns: Vec<f32>,
    velocities: Vec<f32>,
    offsets: Vec<f32>,
    steps: Vec<f32>,
}

impl Sheet {
    fn write(
        &mut self,
        excerpt: &Excerpt,
        own: Option<&Vec<DrumRow>>,
        (first_place, m): (usize, usize),
        view: View,
    ) {
        let flag = |is: bool| f32::from(u8::from(is));
        let rows = &excerpt.rows;
        let hides_bass = excerpt.hides_bass || view.hides_bass;
        let drums = |row: usize| own.map_or(&rows[row].drums, |own| &own[row]);
        let remembered: Vec<OwnRow> = (0..=m).map(|row| drums(row).remembered()).collect();
        let begun = own.map_or(0, |own| {
            let is_hit = |row: &DrumRow| row.0.iter().any(|x| *x > 0.0);
            own.iter().position(is_hit).unwrap_or(own.len())
        });
        let is_known = |row: usize| match own {
            Some(_) => row >= begun,
            None => !excerpt.hides_own[row],
        };
        for place in 0..m {
            let heard = place + view.ahead;
            let mut given = rows[place + 1].given;
            if view.hides_idea {
                (given.family, given.groove) = (None, None);
            }
            self.bass.extend(rows[heard].bass.0);
            self.own.extend(remembered[place].row.0);
            self.given.extend(given.numbers());
            self.no_bass.push(flag(hides_bass));
            self.no_own.push(flag(!is_known(place)));
            let plays = rows[place + 1].is_inside
                && rows[heard].is_inside
                && (excerpt.hides_bass || excerpt.is_accompanied(place));
            if !plays {
                continue;
            }
            self.places
                .push(u32::try_from(first_place + place).unwrap_or(u32::MAX));
            let mut behind = Behind {
                bass: std::array::from_fn(|back| {
                    let row = heard.checked_sub(back).map(|row| &rows[row].bass);
                    row.filter(|_| !hides_bass)
                }),
                own: LAGS.map(|lag| {
                    let row = (place + 1).checked_sub(lag).filter(|row| is_known(*row));
                    row.map(|row| &remembered[row])
                }),
                returns: None,
            };
            let returns = Returns::of(drums(place + 1), &behind.own);
            self.returns.extend(returns.numbers());
            behind.returns = match excerpt.told {
                Told::All => Some(returns),
                Told::NotTheKick => Some(returns.without_kick()),
                Told::Nothing => None,
            };
            self.play(place + 1, drums(place + 1), excerpt, &behind);
        }
    }

    /// The measure that is played.
    fn play(&mut self, row: usize, now: &DrumRow, excerpt: &Excerpt, behind: &Behind<'_>) {
        let row = &excerpt.rows[row];
        for step in 0..NET_STEPS {
            let start = self.beside.len();
            self.beside.resize(start + N_BESIDE, 0.0);
            beside(&mut self.beside[start..], step, behind, now);
            self.hits.extend(now.hits(step));
            self.velocities.extend(now.velocities(step));
            self.offsets.extend(row.offsets[step]);
            self.steps
                .push(f32::from(u8::from(step < row.given.n_steps)));
        }
    }
}

/// What the ear hears of an excerpt: the bass of a stretch of its measures, and what is right.
#[derive(Debug)]
pub(super) struct EarBatch {
    /// Rows of bass, `(B, M, N_BASS)`.
    pub bass: Tensor,
    /// Numbers beside, `(B, M, N_AROUND)`.
    pub around: Tensor,
    /// 1 for the measures that count, `(B, M, 1)`.
    pub counts: Tensor,
    /// 1 for the family, `(B, N_FAMILIES)`.
    pub family: Tensor,
    /// Index of family, groove and touch, or `u32::MAX`: each `(B,)`.
    pub right: [Vec<u32>; 3],
}

impl EarBatch {
    /// Of each excerpt the `n` first measures with a bass count.
    pub(super) fn new(excerpts: &[Excerpt], n: &[usize], device: &Device) -> Result<Self> {
        const M: usize = 8;
        let (mut bass, mut around, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        let mut family = vec![0.0_f32; excerpts.len() * N_FAMILIES];
        let mut right = [Vec::new(), Vec::new(), Vec::new()];
        for (idx, (excerpt, n)) in excerpts.iter().zip(n).enumerate() {
            let mut left = *n;
            for row in &excerpt.rows[..M] {
                let counted = left > 0 && !row.bass.is_empty() && row.is_inside;
                left -= usize::from(counted);
                bass.extend(row.bass.0);
                around.extend(row.given.around());
                counts.push(f32::from(u8::from(counted)));
            }
            let idea = excerpt.idea;
            let is_heard = left < *n && !excerpt.is_spliced;
            let code = |x: Option<usize>| {
                let x = x.filter(|_| is_heard).and_then(|x| u32::try_from(x).ok());
                x.unwrap_or(u32::MAX)
            };
            // How many songs have a family is heard from songs drawn as often as they are.
            let opinion = idea.family.unwrap_or(N_FAMILIES);
            right[0].push(code(
                Some(opinion).filter(|_| excerpt.drawn == Drawn::AsSongsAre),
            ));
            right[1].push(code(idea.groove));
            right[2].push(code(idea.nearest_touch));
            if let Some(name) = idea.family {
                family[idx * N_FAMILIES + name] = 1.0;
            }
        }
        let b = excerpts.len();
        Ok(Self {
            bass: Tensor::from_vec(bass, (b, M, N_BASS), device)?,
            around: Tensor::from_vec(around, (b, M, N_AROUND), device)?,
            counts: Tensor::from_vec(counts, (b, M, 1), device)?,
            family: Tensor::from_vec(family, (b, N_FAMILIES), device)?,
            right,
        })
    }
}

const _: () = assert!(
    CELL_OUTPUTS == 5,
    "hits, velocities and offsets have spreads"
);

#[cfg(test)]
mod tests {
    use super::super::excerpt::{Drawn, Row, SPAN};
    use super::super::ideas::SongIdea;
    use super::*;

    /// A bass note and a snare at the step of the measure's number, and a kick on one.
    fn excerpt() -> Excerpt {
        let row = |idx: usize| {
            let mut row = Row {
                is_inside: true,
                ..Row::default()
            };
            row.given.n_steps = NET_STEPS;
            row.bass.begin(idx % NET_STEPS, 16, 0.8, 0.0);
            row.drums.hit(0, 0, 0.9);
            row.drums.hit(idx % NET_STEPS, 1, 0.7);
            row
        };
        Excerpt {
            rows: (0..SPAN).map(row).collect(),
            hides_bass: false,
            hides_own: vec![false; SPAN],
            told: Told::All,
            idea: SongIdea::default(),
            is_spliced: false,
            drawn: Drawn::AsSongsAre,
        }
    }

    fn batch(excerpt: Excerpt, own: Option<Vec<DrumRow>>, view: View) -> Result<Batch> {
        let own = own.map(|own| vec![own]);
        Batch::new(&[excerpt], own.as_deref(), 6, view, &Device::Cpu)
    }

    fn rows(tensor: &Tensor) -> Result<Vec<Vec<f32>>> {
        tensor.squeeze(0)?.to_vec2()
    }

    #[test]
    fn a_teacher_hears_the_bass_of_the_measure_that_it_plays() -> Result<()> {
        let song = excerpt();
        for ahead in [0, 1] {
            let view = View {
                ahead,
                ..View::default()
            };
            let batch = batch(excerpt(), None, view)?;
            for (place, bass) in rows(&batch.heard.bass)?.into_iter().enumerate() {
                assert_eq!(bass, song.rows[place + ahead].bass.0);
            }
            assert_eq!(batch.n, 6);
            let hits = batch.hits.to_vec3::<f32>()?;
            for (place, hits) in hits.iter().enumerate() {
                assert!(
                    hits[place + 1][1] > 0.0,
                    "it plays the measure after {place}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn what_comes_back_is_learnt_whatever_is_told_of_it() -> Result<()> {
        let of = |told| -> Result<[Vec<f32>; 2]> {
            let excerpt = Excerpt { told, ..excerpt() };
            let batch = batch(excerpt, None, View::default())?;
            let values = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
            Ok([values(&batch.returns)?, values(&batch.beside)?])
        };
        let [all, not_the_kick, nothing] =
            [of(Told::All)?, of(Told::NotTheKick)?, of(Told::Nothing)?];
        assert!(all[0] == not_the_kick[0] && all[0] == nothing[0]);
        assert!(all[1] != not_the_kick[1]);
        assert!(not_the_kick[1] != nothing[1]);
        Ok(())
    }

    #[test]
    fn the_own_kick_is_played_but_not_remembered() -> Result<()> {
        let batch = batch(excerpt(), None, View::default())?;
        for row in rows(&batch.heard.own)? {
            let n_hits = |voice: usize| {
                let steps = row.chunks_exact(2 * N_VOICES);
                steps.filter(|step| step[voice] > 0.0).count()
            };
            assert_eq!([0, 1].map(n_hits), [0, 1]);
        }
        assert!(
            batch
                .hits
                .to_vec3::<f32>()?
                .iter()
                .all(|hits| hits[0][0] > 0.0)
        );
        Ok(())
    }

    #[test]
    fn what_is_hidden_is_not_heard_and_own_takes_are_known_from_their_first_hit() -> Result<()> {
        let view = View {
            hides_bass: true,
            ..View::default()
        };
        let mut own = vec![DrumRow::default(); 7];
        own[2].hit(4, 1, 0.7);
        let deaf = batch(excerpt(), Some(own), view)?;
        assert_eq!(
            deaf.heard.no_bass.flatten_all()?.to_vec1::<f32>()?,
            [1.0; 6]
        );
        let unknown = deaf.heard.no_own.flatten_all()?.to_vec1::<f32>()?;
        assert_eq!(unknown, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        let mut short = excerpt();
        short.rows[3].is_inside = false;
        assert_eq!(
            batch(short, None, View::default())?.n,
            4,
            "the third neither heard nor played"
        );
        Ok(())
    }
}
