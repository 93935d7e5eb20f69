//! A request as the network's inputs: planes of bass and of own drums, and the given numbers.

use lockstep_core::generator::Request;
use lockstep_core::representation::{WINDOW_STEPS, Window};

use super::parts::MeasurePart;
use super::trunk::TrunkInputs;
use crate::network::{
    Architecture, Conditioning, N_PLANES, NET_MEASURES, NET_STEPS, energy, lateness, mark_known,
    n_own_planes,
};
use crate::voices::VoiceSet;

/// Which parts of a request a view hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InputMask {
    /// The bass, including its energy and lateness.
    pub(super) bass: bool,
    /// The drums that were played.
    pub(super) own: bool,
}

impl InputMask {
    /// Adds a view with this mask to the network's `inputs`, for one part of the measure.
    pub(super) fn listen(
        self,
        request: &Request,
        part: MeasurePart,
        architecture: &Architecture,
        inputs: &mut TrunkInputs,
    ) {
        if self.bass {
            inputs.bass.extend(planes(&request.window, part.rows));
        } else {
            let silence = NET_MEASURES * NET_STEPS * N_PLANES;
            inputs.bass.resize(inputs.bass.len() + silence, 0.0);
        }
        let voices = architecture.voices;
        let mut own = vec![0.0; NET_MEASURES * NET_STEPS * n_own_planes(voices)];
        if self.own {
            write_own(voices, request, part, &mut own);
        }
        let mut accents = vec![0.0; NET_MEASURES * NET_STEPS];
        let mut late = accents.clone();
        if self.bass {
            each_step(part.rows, |cell, step_idx| {
                accents[cell] = request.window.accent(step_idx);
                late[cell] = request.window.lateness(step_idx);
            });
        }
        let given = Conditioning {
            measure: request.measure * part.n_parts as u64 + part.idx as u64,
            tempo_bpm: request.tempo_bpm,
            n_steps: part.n_steps,
            counts_eighths: request.meter.denominator() == 8,
            energy: energy(&accents, NET_STEPS),
            lateness: lateness(&accents, &late),
            // A fill goes at the end of a measure, so only the last part is one.
            fill: request
                .settings
                .fill
                .asks_for_fill()
                .map(|is| is && part.idx + 1 == part.n_parts),
        };
        inputs.own.extend(own);
        inputs.accents.extend(accents);
        inputs.given.extend(given.numbers());
        let style = request.settings.style.map(usize::from);
        let styles =
            (0..architecture.n_styles).map(|each| f32::from(u8::from(style == Some(each))));
        inputs.given.extend(styles);
    }
}

/// Calls `hear` for each heard step, with its cell in the network's `(M, T)` and its index in the window.
///
/// Each row is a measure or part of one, the newest last. In 4/4 the rows are the window itself. A shorter measure leaves the
/// end of its row empty. Measures that do not fit completely into the window are not heard.
fn each_step(rows: [usize; NET_MEASURES], mut hear: impl FnMut(usize, usize)) {
    for (row, n_steps) in rows.into_iter().enumerate() {
        let Some(first) = WINDOW_STEPS.checked_sub(rows[row..].iter().sum()) else {
            continue;
        };
        for step_idx in 0..n_steps {
            hear(row * NET_STEPS + step_idx, first + step_idx);
        }
    }
}

/// The drums played in the window as planes of these voices, `(M, T, 2 · V + 1)`.
fn write_own(voices: VoiceSet, request: &Request, part: MeasurePart, planes: &mut [f32]) {
    let (n, n_planes) = (voices.n(), n_own_planes(voices));
    each_step(part.rows, |cell, step_idx| {
        let step = &mut planes[cell * n_planes..][..n_planes];
        let heard = voices.fold(&request.played[step_idx]);
        for (column, velocity) in heard[..n].iter().enumerate() {
            step[column] = f32::from(u8::from(*velocity > 0.0));
            step[n + column] = *velocity;
        }
    });
    planes
        .chunks_exact_mut(NET_STEPS * n_planes)
        .for_each(|measure| mark_known(voices, measure));
}

/// The window as the network's planes, `(M, T, P)` = `(4, 16, N_PLANES)`, where `rows` are the rows' lengths in steps.
pub fn planes(window: &Window, rows: [usize; NET_MEASURES]) -> Vec<f32> {
    let mut planes = vec![0.0; NET_MEASURES * NET_STEPS * N_PLANES];
    each_step(rows, |cell, step_idx| {
        let cell = &mut planes[cell * N_PLANES..][..N_PLANES];
        for pitch in window.onsets(step_idx).indices() {
            cell[2 * pitch] = 1.0;
        }
        for pitch in window.sounding(step_idx).indices() {
            cell[2 * pitch + 1] = 1.0;
        }
    });
    planes
}

#[cfg(test)]
mod tests {
    use lockstep_core::representation::Onset;

    use super::*;

    #[test]
    fn a_measure_in_three_fills_the_start_of_its_row() {
        let mut window = Window::default();
        window.begin(WINDOW_STEPS - 12, Onset::new(40, 0.8));
        let planes = planes(&window, [12; NET_MEASURES]);
        let first_set = planes.iter().position(|x| *x > 0.0);
        assert_eq!(first_set, Some(3 * NET_STEPS * N_PLANES + 2 * 16));
    }
}
