//! A trunk on another device, used as long as it works; then the reason why it was dropped.
//!
//! The caller can always use the CPU, so a failure loses only the device's answer.

use lockstep_core::generator::{DeviceReport, Request};
use lockstep_core::representation::{N_VOICES, Onset, WINDOW_STEPS, Window};

use super::trunk::{Trunk, TrunkError, TrunkInputs, in_one_line};

/// How far a device's features may be from the CPU's, relative to the feature or to 1, whichever is larger. Summing a few
/// hundred 32-bit products in another order changes about 1e-6; another network differs by about 1.
const TOLERANCE: f32 = 1e-3;

/// The other device.
#[derive(Debug, Default)]
pub(super) struct Accelerator {
    trunk: Option<Box<dyn Trunk>>,
    /// Why the CPU answers although another device was wanted.
    refusal: Option<String>,
}

impl Accelerator {
    /// Takes a device if its features match `expected`, the CPU's, `(B, 16, N_FEATURES)`.
    pub(super) fn take(&mut self, trunk: Box<dyn Trunk>, inputs: &TrunkInputs, expected: &[f32]) {
        *self = Self {
            trunk: Some(trunk),
            refusal: None,
        };
        let Some(got) = self.features(inputs) else {
            return;
        };
        let is_off = |(expected, got): &(&f32, &f32)| {
            (*expected - *got).abs() > TOLERANCE * expected.abs().max(1.0)
        };
        let mut pairs = expected.iter().zip(&got);
        if let Some((&expected, &got)) = pairs.find(is_off) {
            self.refuse(&TrunkError::Deviates { expected, got });
        }
    }

    /// The device's features of each view, `(B, 16, N_FEATURES)`, complete and finite; `None` if the CPU must answer.
    pub(super) fn features(&mut self, inputs: &TrunkInputs) -> Option<Vec<f32>> {
        let features = self.trunk.as_mut()?.features(inputs);
        features
            .and_then(|features| checked(inputs, features))
            .inspect_err(|error| self.refuse(error))
            .ok()
    }

    /// Drops the device and keeps the reason.
    pub(super) fn refuse(&mut self, error: &TrunkError) {
        let why = in_one_line(error);
        self.refusal = Some(match self.trunk.take() {
            Some(trunk) => format!("{}: {why}", trunk.device()),
            None => why,
        });
    }

    pub(super) fn report(&self) -> DeviceReport<'_> {
        DeviceReport {
            name: self.trunk.as_ref().map_or("CPU", |trunk| trunk.device()),
            refusal: self.refusal.as_deref(),
        }
    }
}

/// The features, if their number is right and all are finite.
fn checked(inputs: &TrunkInputs, features: Vec<f32>) -> Result<Vec<f32>, TrunkError> {
    let (expected, got) = (inputs.n_features(), features.len());
    if expected != got {
        return Err(TrunkError::Size { expected, got });
    }
    match features.iter().find(|feature| !feature.is_finite()) {
        Some(feature) => Err(TrunkError::NotFinite(*feature)),
        None => Ok(features),
    }
}

/// A request with bass and drums that uses every view.
pub(super) fn probe() -> Request {
    let mut window = Window::default();
    let mut played = [[0.0; N_VOICES]; WINDOW_STEPS];
    for (step_idx, row) in played.iter_mut().enumerate() {
        if step_idx % 3 == 0 {
            window.begin(step_idx, Onset::new(40, 0.8));
        }
        row[step_idx % N_VOICES] = 0.7;
    }
    let mut request = Request {
        window,
        played,
        ..Request::default()
    };
    request.settings.follow = 1.0;
    request
}
