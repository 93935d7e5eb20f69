//! A request as the network's numbers: planes of bass and of own drums, and what is given.

use candle_core::{Device, Tensor};

use crate::generator::Request;
use crate::network::{
    Context, Given, N_GIVEN, N_OWN_PLANES, N_PLANES, NET_MEASURES, NET_STEPS, energy, know,
    lateness,
};
use crate::representation::{Meter, N_VOICES, WINDOW_STEPS, Window};

/// What of a request is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hearing {
    /// The bass, its energy included.
    pub(super) bass: bool,
    /// The drums that were played.
    pub(super) own: bool,
}

impl Hearing {
    /// What an autoregressive network is told beside the bass.
    pub(super) fn context(
        self,
        request: &Request,
        n_styles: usize,
    ) -> candle_core::Result<Context> {
        let cpu = &Device::Cpu;
        let mut own = vec![0.0; NET_MEASURES * NET_STEPS * N_OWN_PLANES];
        if self.own {
            write_own(request, &mut own);
        }
        let mut accents = vec![0.0; NET_MEASURES * NET_STEPS];
        let mut late = accents.clone();
        if self.bass {
            each_step(request.meter, |cell, step_idx| {
                accents[cell] = request.window.accent(step_idx);
                late[cell] = request.window.lateness(step_idx);
            });
        }
        let given = Given {
            measure: request.measure,
            tempo_bpm: request.tempo_bpm,
            n_steps: request.meter.n_steps(),
            counts_eighths: request.meter.denominator() == 8,
            energy: energy(&accents, NET_STEPS),
            lateness: lateness(&accents, &late),
            fill: request.taste.fill,
        };
        let mut given = given.numbers().to_vec();
        given.resize(N_GIVEN + n_styles, 0.0);
        if let Some(style) = request.taste.style.map(usize::from)
            && let Some(one) = given[N_GIVEN..].get_mut(style)
        {
            *one = 1.0;
        }
        let n_given = given.len();
        Ok(Context {
            own: Tensor::from_vec(own, (1, NET_MEASURES, NET_STEPS, N_OWN_PLANES), cpu)?,
            accents: Tensor::from_vec(accents, (1, NET_MEASURES, NET_STEPS, 1), cpu)?,
            given: Tensor::from_vec(given, (1, 1, n_given), cpu)?,
        })
    }
}

/// Calls back for each step that is heard, with its cell among the network's `(M, T)` and its place in the window.
///
/// One measure is a row, the newest last. In 4/4 that is the window itself. A shorter measure leaves the end of its row
/// empty; of a longer one the first sixteen steps are heard. Measures that the window does not hold whole are not heard.
fn each_step(meter: Meter, mut hear: impl FnMut(usize, usize)) {
    let n_steps = meter.n_steps();
    for row in 0..NET_MEASURES {
        let Some(first) = WINDOW_STEPS.checked_sub((NET_MEASURES - row) * n_steps) else {
            continue;
        };
        for step_idx in 0..n_steps.min(NET_STEPS) {
            hear(row * NET_STEPS + step_idx, first + step_idx);
        }
    }
}

/// The drums played in the window as planes, `(M, T, N_OWN_PLANES)`.
fn write_own(request: &Request, planes: &mut [f32]) {
    each_step(request.meter, |cell, step_idx| {
        let step = &mut planes[cell * N_OWN_PLANES..][..N_OWN_PLANES];
        for (voice, velocity) in request.played[step_idx].iter().enumerate() {
            step[voice] = f32::from(u8::from(*velocity > 0.0));
            step[N_VOICES + voice] = *velocity;
        }
    });
    planes
        .chunks_exact_mut(NET_STEPS * N_OWN_PLANES)
        .for_each(know);
}

/// The window as the network's planes, `(M, T, P)` = `(4, 16, N_PLANES)`.
pub(crate) fn planes(window: &Window, meter: Meter) -> Vec<f32> {
    let mut planes = vec![0.0; NET_MEASURES * NET_STEPS * N_PLANES];
    each_step(meter, |cell, step_idx| {
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
    use super::*;
    use crate::representation::Onset;

    #[test]
    fn a_measure_of_three_is_the_start_of_its_row() {
        let mut window = Window::default();
        window.begin(WINDOW_STEPS - 12, Onset::new(40, 0.8));
        let planes = planes(&window, Meter::new(3, 4).unwrap_or_default());
        let first_set = planes.iter().position(|x| *x > 0.0);
        assert_eq!(first_set, Some(3 * NET_STEPS * N_PLANES + 2 * 16));
    }
}
