//! A share of measures.

/// How many of some measures keep a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    n_kept: usize,
    n: usize,
}

impl Share {
    /// Counts a measure.
    pub(super) fn add(&mut self, is_kept: bool) {
        self.n += 1;
        self.n_kept += usize::from(is_kept);
    }

    /// How many measures were counted.
    pub(super) fn n(self) -> usize {
        self.n
    }

    /// The share, in percent; `None` without measures.
    pub(super) fn percent(self) -> Option<f64> {
        (self.n > 0).then(|| 100.0 * self.n_kept as f64 / self.n as f64)
    }

    /// Whether most measures keep the rule.
    pub(super) fn is_most(self) -> bool {
        2 * self.n_kept > self.n
    }
}
