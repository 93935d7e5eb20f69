//! Grooves of our own by which families are known, from `models/book.toml`, where the notation is explained.

use anyhow::{Context as _, Result, bail, ensure};
use lockstep_core::family::Family;
use lockstep_core::representation::{Meter, Voice};
use lockstep_models::network::player::Touch;
use lockstep_models::network::player::touch::{TOUCH, evenness};
use rand::Rng as _;
use rand::rngs::StdRng;
use serde::Deserialize;

use super::excerpt::Row;
use super::ideas::EVEN;
use crate::corpus::SongView;
use crate::listen::lines::meter;
use crate::training::pool::SongPool;

/// From this swing on, eighths are heard as swung.
const SWUNG: f32 = 0.35;
/// Velocities of the four strokes: loud, ordinary, soft, ghost.
const VELOCITIES: [f32; 4] = [0.92, 0.66, 0.48, 0.27];
/// How much louder or softer a whole take is than written, at most.
const LOUDNESS: f32 = 0.1;
/// How far a hit may be from its step, in steps.
const MOST_OFFSET: f32 = 0.4;

const TEXT: &str = include_str!("../../../../book.toml");

/// The file as TOML.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    groove: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    family: String,
    meter: Option<String>,
    tempo_bpm: [f32; 2],
    feel: Feel,
    measures: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Feel {
    Straight,
    Swung,
}

/// A stroke of a written measure.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stroke {
    step: usize,
    voice: Voice,
    velocity: f32,
    /// Whether it is only played where a bass note begins.
    answers: bool,
}

/// A groove: what it suits, and its measures, which follow one another and begin again.
#[derive(Clone, Debug)]
pub(super) struct Groove {
    family: Family,
    meter: Meter,
    tempo_bpm: [f32; 2],
    feel: Feel,
    measures: Vec<Vec<Stroke>>,
}

/// The grooves, each with the songs that it suits.
#[derive(Debug)]
pub(super) struct Book {
    /// By family; those without a groove are left out.
    families: Vec<Vec<(Groove, SongPool)>>,
}

impl Book {
    /// The book for these songs. Grooves that suit none are left out.
    ///
    /// # Errors
    /// Says which groove of the file is wrong.
    pub(super) fn new<'a>(songs: impl Iterator<Item = (SongView<'a>, f32)>) -> Result<Self> {
        let grooves = parse(TEXT)?;
        let mut pools = vec![SongPool::default(); grooves.len()];
        for (song, weight) in songs.filter(|(song, _)| song.n_measures() > 0) {
            for (groove, pool) in grooves.iter().zip(&mut pools) {
                if groove.suits(&song) {
                    pool.add(song.idx, weight);
                }
            }
        }
        let mut families = vec![Vec::new(); Family::ALL.len()];
        for (groove, pool) in grooves.into_iter().zip(pools) {
            if pool.n() > 0 {
                families[groove.family as usize].push((groove, pool));
            }
        }
        families.retain(|grooves| !grooves.is_empty());
        Ok(Self { families })
    }

    /// A groove and the songs that it suits, every family as often as any other.
    pub(super) fn draw(&self, rng: &mut StdRng) -> Option<(&Groove, &SongPool)> {
        let grooves = pick(&self.families, rng)?;
        pick(grooves, rng).map(|(groove, pool)| (groove, pool))
    }
}

fn pick<'a, T>(of: &'a [T], rng: &mut StdRng) -> Option<&'a T> {
    (!of.is_empty()).then(|| &of[rng.random_range(0..of.len())])
}

impl Groove {
    /// Index of its family.
    pub(super) fn family(&self) -> usize {
        self.family as usize
    }

    fn suits(&self, song: &SongView<'_>) -> bool {
        let measures = || song.measures().take(16);
        let n = measures().count().max(1) as f32;
        let swing = measures().map(|m| m.swing.eighths()).sum::<f32>() / n;
        let tempo_bpm = song.measure(0).tempo_bpm;
        let [slowest, fastest] = self.tempo_bpm;
        song.measure(0).meter == self.meter
            && (slowest..=fastest).contains(&tempo_bpm)
            && (swing >= SWUNG) == (self.feel == Feel::Swung)
    }

    /// Plays the groove to the bass of these rows, as loosely as the song's own touch says; returns the touch of what is played.
    pub(super) fn play(&self, rows: &mut [Row], song: Option<Touch>, rng: &mut StdRng) -> Touch {
        let mut touch = self.touch(song.unwrap_or_default());
        let louder = 1.0 + rng.random_range(-LOUDNESS..=LOUDNESS);
        touch[3] *= louder;
        let spread = if touch[0] > 0.5 { 0.0 } else { touch[1] / 4.0 };
        for (row, strokes) in rows.iter_mut().zip(self.measures.iter().cycle()) {
            (row.drums, row.offsets) = Default::default();
            for stroke in strokes {
                if !stroke.answers || row.bass.begun(stroke.step) != 0 {
                    let (voice, velocity) = (stroke.voice.index(), louder * stroke.velocity);
                    row.drums.hit(stroke.step, voice, velocity.min(1.0));
                    let offset = spread * normal(rng);
                    row.offsets[stroke.step][voice] = offset.clamp(-MOST_OFFSET, MOST_OFFSET);
                }
            }
            let given = &mut row.given;
            given.family = Some(self.family());
            given.is_by_the_book = true;
            given.fill = Some(false);
            given.energy = None;
            given.groove = None;
            given.touch = Some(touch);
        }
        touch
    }

    /// The touch of the written measures; how loose it is, is another's.
    fn touch(&self, other: Touch) -> Touch {
        let strokes: Vec<&Stroke> = self.measures.iter().flatten().collect();
        let mean = |of: &[f32]| of.iter().sum::<f32>() / of.len().max(1) as f32;
        let all: Vec<f32> = strokes.iter().map(|stroke| stroke.velocity).collect();
        let (mut squares, mut same, mut n) = (0.0, [0.0; 3], [0.0_f32; 3]);
        for voice in Voice::ALL {
            let own = strokes.iter().filter(|stroke| stroke.voice == voice);
            let own: Vec<f32> = own.map(|stroke| stroke.velocity).collect();
            let centre = mean(&own);
            squares += own.iter().map(|v| (v - centre) * (v - centre)).sum::<f32>();
            let most =
                VELOCITIES.map(|v| own.iter().filter(|own| (**own - v).abs() < 1e-6).count());
            same[evenness(voice)] += most.into_iter().max().unwrap_or_default() as f32;
            n[evenness(voice)] += own.len() as f32;
        }
        let spread = (squares / all.len().max(1) as f32).sqrt();
        let mut touch: Touch = [0.0; TOUCH];
        touch[..2].copy_from_slice(&other[..2]);
        touch[2] = (4.0 * spread).min(2.0);
        touch[3] = mean(&all);
        for of in 0..3 {
            touch[4 + of] = f32::from(u8::from(same[of] >= EVEN * n[of]));
        }
        touch
    }
}

/// A standard normal draw (Box & Muller 1958).
fn normal(rng: &mut StdRng) -> f32 {
    let (u, angle): (f32, f32) = (rng.random_range(1e-7..1.0), rng.random_range(0.0..1.0));
    (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
}

fn parse(text: &str) -> Result<Vec<Groove>> {
    let file: File = toml::from_str(text).context("models/book.toml")?;
    let grooves = file.groove.into_iter().enumerate();
    let read = |(idx, entry): (usize, Entry)| {
        let name = format!("models/book.toml, groove {} ({})", idx + 1, entry.family);
        groove(&entry).context(name)
    };
    grooves.map(read).collect()
}

fn groove(entry: &Entry) -> Result<Groove> {
    let id = &entry.family;
    let family = Family::from_id(id);
    let meter = meter(entry.meter.as_deref().unwrap_or("4/4"))?;
    let [slowest, fastest] = entry.tempo_bpm;
    ensure!(
        slowest < fastest,
        "tempo-bpm = [{slowest}, {fastest}] is no range"
    );
    let measures = entry.measures.trim().split("\n\n");
    Ok(Groove {
        family: family.with_context(|| format!("family = {id:?} is none of the families"))?,
        meter,
        tempo_bpm: entry.tempo_bpm,
        feel: entry.feel,
        measures: measures
            .map(|text| measure(text, meter.n_steps()))
            .collect::<Result<_>>()?,
    })
}

fn measure(text: &str, n_steps: usize) -> Result<Vec<Stroke>> {
    let mut strokes = Vec::new();
    for line in text.lines() {
        let (letter, signs) = line
            .split_once(' ')
            .context("a line is a letter and signs")?;
        let voice = voice(letter).with_context(|| format!("{letter:?} is no drum"))?;
        ensure!(
            signs.chars().count() == n_steps,
            "{line:?} does not have {n_steps} steps"
        );
        for (step, sign) in signs.chars().enumerate() {
            let [loud, ordinary, soft, ghost] = VELOCITIES;
            let (velocity, answers) = match sign {
                '.' => continue,
                'X' => (loud, false),
                'x' => (ordinary, false),
                's' => (soft, false),
                'g' => (ghost, false),
                '?' => (loud, true),
                _ => bail!("{sign:?} in {line:?} is none of X x s g ? ."),
            };
            strokes.push(Stroke {
                step,
                voice,
                velocity,
                answers,
            });
        }
    }
    Ok(strokes)
}

fn voice(letter: &str) -> Option<Voice> {
    Some(match letter {
        "K" => Voice::Kick,
        "S" => Voice::Snare,
        "x" => Voice::SideStick,
        "C" => Voice::Clap,
        "h" => Voice::ClosedHat,
        "p" => Voice::PedalHat,
        "o" => Voice::OpenHat,
        "L" => Voice::LowTom,
        "M" => Voice::MidTom,
        "H" => Voice::HighTom,
        "*" => Voice::Crash,
        "R" => Voice::Ride,
        "t" => Voice::Tambourine,
        "m" => Voice::Shaker,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::{N_VOICES, Swing};
    use rand::SeedableRng as _;

    use super::*;
    use crate::idioms::{Measure, keeps_rule};

    #[test]
    fn every_measure_keeps_the_rule_of_its_family_answered_or_not() -> Result<()> {
        for (idx, groove) in parse(TEXT)?.into_iter().enumerate() {
            let swing = match groove.feel {
                Feel::Straight => Swing::new(0.0, 0.0),
                Feel::Swung => Swing::new(0.6, 0.0),
            };
            for strokes in &groove.measures {
                for (tempo_bpm, answered) in groove
                    .tempo_bpm
                    .into_iter()
                    .flat_map(|tempo| [(tempo, true), (tempo, false)])
                {
                    let mut rows = vec![[0; N_VOICES]; groove.meter.n_steps()];
                    for stroke in strokes.iter().filter(|s| answered || !s.answers) {
                        #[expect(
                            clippy::cast_possible_truncation,
                            clippy::cast_sign_loss,
                            reason = "at most 127"
                        )]
                        let velocity = (127.0 * stroke.velocity) as u8;
                        rows[stroke.step][stroke.voice.index()] = velocity;
                    }
                    let measure = Measure {
                        meter: groove.meter,
                        tempo_bpm: f64::from(tempo_bpm),
                        swing,
                        rows,
                    };
                    let place = format!("groove {} ({})", idx + 1, groove.family.id());
                    assert_eq!(keeps_rule(groove.family, &measure), Some(true), "{place}");
                }
            }
        }
        Ok(())
    }

    #[test]
    fn a_groove_answers_the_bass_where_it_may() -> Result<()> {
        let entry = Entry {
            family: "rock".to_owned(),
            meter: None,
            tempo_bpm: [80.0, 90.0],
            feel: Feel::Straight,
            measures: "K X.....?.........\nS ....g.......X...".to_owned(),
        };
        let groove = groove(&entry)?;
        let mut rows = vec![Row::default(); 2];
        rows[1].bass.begin(6, 3, 0.8, 0.0);
        let touch = groove.play(&mut rows, None, &mut StdRng::seed_from_u64(1));
        let [kick, snare] = [Voice::Kick, Voice::Snare].map(Voice::index);
        let kicks = |row: &Row| [0, 6].map(|step| row.drums.hits(step)[kick] > 0.0);
        assert_eq!(
            [kicks(&rows[0]), kicks(&rows[1])],
            [[true, false], [true, true]]
        );
        let soft = rows[0].drums.velocities(4)[snare];
        assert!(soft < 0.4 * rows[0].drums.velocities(12)[snare]);
        assert_eq!(touch[4..], [1.0, 0.0, 1.0]);
        assert_eq!(rows[0].given.family, Some(Family::Rock as usize));
        Ok(())
    }

    #[test]
    fn what_is_wrong_in_the_file_is_named() {
        let text = |family: &str, line: &str| {
            format!(
                "[[groove]]\nfamily = {family:?}\ntempo-bpm = [80, 90]\nfeel = \"straight\"\nmeasures = \"\"\"\n{line}\n\"\"\"\n"
            )
        };
        for (family, line, part) in [
            ("polka", "K X...............", "polka"),
            ("rock", "Q X...............", "Q"),
            ("rock", "K X..", "16 steps"),
            ("rock", "K X......z........", "z"),
        ] {
            let error = parse(&text(family, line)).err().map(|e| format!("{e:#}"));
            assert!(
                error.as_deref().is_some_and(|e| e.contains(part)),
                "{error:?}"
            );
        }
    }
}
