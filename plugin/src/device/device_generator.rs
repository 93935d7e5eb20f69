//! A drummer that predicts on the device that the player wants, whenever that device is available.
//!
//! Opening a device may take seconds, so a separate thread does it; meanwhile, and after any failure, the CPU answers.
//! Generator thread.

use std::fmt;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use lockstep_core::generator::{
    DeviceReport, DrumHistory, Generator, Hits, PredictError, Probabilities, Request,
};
use lockstep_core::representation::{HitMap, Voice};
use lockstep_models::predict::{Predictor, Trunk, TrunkError};

use super::{DeviceChoice, DeviceError, DeviceSearch, stay_loaded};

type OpenResult = Result<Box<dyn Trunk>, DeviceError>;

/// A predictor that can change devices.
pub struct DeviceGenerator {
    predictor: Predictor,
    /// The weights file, for the library.
    weights: Arc<[u8]>,
    search: DeviceSearch,
    choice: Box<dyn Fn() -> DeviceChoice + Send>,
    /// The choice that was acted on last.
    followed: DeviceChoice,
    /// The thread that opens the device. Dropping the drummer does not wait for it; the device is then closed once opened.
    opening: Option<JoinHandle<OpenResult>>,
    log: Box<dyn FnMut(&str) + Send>,
    /// The last report that was passed to `log`.
    logged: (String, Option<String>),
}

impl DeviceGenerator {
    /// A predictor made from these weights. `choice` is read before every prediction.
    ///
    /// `log` gets a line of text whenever the device changes, or one is not available.
    pub fn new(
        predictor: Predictor,
        weights: &[u8],
        search: DeviceSearch,
        choice: impl Fn() -> DeviceChoice + Send + 'static,
        log: impl FnMut(&str) + Send + 'static,
    ) -> Self {
        let mut generator = Self {
            followed: DeviceChoice::Cpu,
            logged: owned(predictor.device()),
            predictor,
            weights: Arc::from(weights),
            search,
            choice: Box::new(choice),
            opening: None,
            log: Box::new(log),
        };
        generator.follow();
        generator
    }

    /// Waits until the device has opened or failed: for an offline program, so that one device makes every prediction.
    #[must_use]
    pub fn wait_for_device(mut self) -> Self {
        self.end_opening();
        self.report();
        self
    }

    /// Acts on the player's current choice.
    fn follow(&mut self) {
        let choice = (self.choice)();
        if choice != self.followed {
            self.followed = choice;
            self.predictor.on_cpu();
            self.begin_opening();
        }
        if self.opening.as_ref().is_some_and(JoinHandle::is_finished) {
            self.end_opening();
        }
    }

    fn begin_opening(&mut self) {
        let is_gpu_of_use = self.predictor.has_trunk();
        match self.followed {
            DeviceChoice::Cpu => {}
            DeviceChoice::Auto if !is_gpu_of_use => {}
            DeviceChoice::Gpu if !is_gpu_of_use => {
                let family = self.predictor.name();
                self.predictor.refuse(&TrunkError::Family(family));
            }
            // A device is being opened already.
            _ if self.opening.is_some() => {}
            _ => {
                let (search, weights) = (self.search.clone(), Arc::clone(&self.weights));
                stay_loaded();
                let thread = Builder::new().name("lockstep-device".to_owned());
                match thread.spawn(move || search.open(&weights)) {
                    Ok(thread) => self.opening = Some(thread),
                    Err(error) => self.refuse(&TrunkError::Library(error.to_string())),
                }
            }
        }
    }

    /// Uses the opened device, if the player still wants it.
    fn end_opening(&mut self) {
        let Some(opening) = self.opening.take() else {
            return;
        };
        let panicked = || TrunkError::Library("opening the GPU library panicked".to_owned());
        match opening.join() {
            _ if self.followed == DeviceChoice::Cpu => {}
            Ok(Ok(trunk)) => self.predictor.accelerate(trunk),
            Ok(Err(error)) if error.is_absence() && self.followed == DeviceChoice::Auto => {}
            Ok(Err(error)) => self.refuse(&error.into()),
            Err(_) => self.refuse(&panicked()),
        }
    }

    fn refuse(&mut self, why: &TrunkError) {
        self.predictor.refuse(why);
    }

    /// Tells of a change.
    fn report(&mut self) {
        let report = self.predictor.device();
        if (report.name, report.refusal) != (&*self.logged.0, self.logged.1.as_deref()) {
            (self.log)(&report.to_string());
            self.logged = owned(report);
        }
    }
}

fn owned(report: DeviceReport<'_>) -> (String, Option<String>) {
    (report.name.to_owned(), report.refusal.map(str::to_owned))
}

impl Generator for DeviceGenerator {
    fn name(&self) -> &'static str {
        self.predictor.name()
    }

    fn device(&self) -> DeviceReport<'_> {
        self.predictor.device()
    }

    fn voices(&self) -> &'static [Voice] {
        self.predictor.voices()
    }

    fn n_parameters(&self) -> usize {
        self.predictor.n_parameters()
    }

    fn n_flops(&self) -> u64 {
        self.predictor.n_flops()
    }

    fn predict(&mut self, request: &Request) -> Result<HitMap, PredictError> {
        self.follow();
        let hits = self.predictor.predict(request);
        self.report();
        hits
    }

    fn probabilities(
        &mut self,
        request: &Request,
        people: &Hits,
        history: DrumHistory,
    ) -> Result<Option<Probabilities>, PredictError> {
        self.follow();
        let probabilities = self.predictor.probabilities(request, people, history);
        self.report();
        probabilities
    }
}

impl fmt::Debug for DeviceGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceGenerator")
            .field("predictor", &self.predictor)
            .field("search", &self.search)
            .field("followed", &self.followed)
            .finish_non_exhaustive()
    }
}
