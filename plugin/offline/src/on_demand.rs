//! Plans made at the moment they are asked for, in the same thread.

use std::fmt;
use std::time::{Duration, Instant};

use lockstep_core::generator::{PredictError, Request};
use lockstep_core::representation::Plan;
use lockstep_engine::realtime::PlanSource;

/// Predicts when the performer asks for a plan, and keeps how that went.
///
/// ```
/// use lockstep_core::generator::{Generator as _, Request};
/// use lockstep_core::rule::RuleGroove;
/// use lockstep_engine::realtime::PlanSource as _;
/// use lockstep_offline::OnDemand;
///
/// let mut plans = OnDemand::new(|request: &Request| RuleGroove.plan(request));
/// plans.publish(&Request { measure: 3, ..Request::default() });
/// assert!(plans.plan_for(0, 3).is_some());
/// assert!(plans.plan_for(0, 4).is_none(), "nobody has asked for it");
/// ```
///
/// # Realtime safety
/// Not for an audio thread: it takes as long as the prediction does.
pub struct OnDemand<P> {
    predict: P,
    newest: Option<Request>,
    /// How long each prediction took.
    pub(crate) predictions: Vec<Duration>,
    /// The first failed prediction.
    pub(crate) failure: Option<PredictError>,
}

impl<P: FnMut(&Request) -> Result<Plan, PredictError>> OnDemand<P> {
    /// Answers requests with `predict`.
    pub fn new(predict: P) -> Self {
        Self {
            predict,
            newest: None,
            predictions: Vec::new(),
            failure: None,
        }
    }
}

impl<P> fmt::Debug for OnDemand<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnDemand")
            .field("predictions", &self.predictions)
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

impl<P: FnMut(&Request) -> Result<Plan, PredictError>> PlanSource for OnDemand<P> {
    fn publish(&mut self, request: &Request) {
        self.newest = Some(*request);
    }

    fn plan_for(&mut self, playback: u32, measure: u64) -> Option<Plan> {
        let request = self
            .newest
            .filter(|request| (request.playback, request.measure) == (playback, measure))?;
        let start = Instant::now();
        let plan = (self.predict)(&request);
        self.predictions.push(start.elapsed());
        plan.map_err(|error| self.failure.get_or_insert(error)).ok()
    }
}
