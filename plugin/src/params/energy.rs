//! Energy: a knob whose middle leaves it to the drummer.
//!
//! The knob reaches from -1, a soft verse, to 1, a loud chorus. The drummer is told a number from 0 to 1, or nothing. Just beside
//! the middle it is told a half, the mean of the song, so that a turn away from the middle changes little at first.

use std::sync::Arc;

use nice_plug::prelude::*;

/// What the middle is called.
const FREE: &str = "Free";

/// The knob, in whole percent.
pub(super) fn param() -> FloatParam {
    let range = FloatRange::Linear {
        min: -1.0,
        max: 1.0,
    };
    FloatParam::new("Energy", 0.0, range)
        .with_value_to_string(Arc::new(shown))
        .with_string_to_value(Arc::new(read))
}

/// What the drummer is told for a knob in `[-1, 1]`, in `[0, 1]`; `None`, within half a percent of the middle, leaves it to the
/// drummer.
///
/// ```
/// use lockstep::params::energy_wish;
///
/// assert_eq!(energy_wish(0.0), None);
/// assert_eq!([-1.0, 0.5, 1.0].map(energy_wish), [0.0, 0.75, 1.0].map(Some));
/// ```
pub fn energy_wish(knob: f32) -> Option<f32> {
    let is_free = percent(knob) == 0.0;
    (!is_free).then(|| knob.mul_add(0.5, 0.5).clamp(0.0, 1.0))
}

/// A knob in percent, in the steps in which it is shown.
fn percent(knob: f32) -> f32 {
    (knob * 100.0).round()
}

fn shown(knob: f32) -> String {
    match percent(knob) {
        0.0 => FREE.to_owned(),
        percent => format!("{percent:+.0} %"),
    }
}

fn read(text: &str) -> Option<f32> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(FREE) {
        return Some(0.0);
    }
    let percent: f32 = text.trim_end_matches([' ', '%']).parse().ok()?;
    Some(percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_middle_leaves_it_to_the_drummer_and_it_is_shown_so() {
        let param = param();
        let mut n_free = 0;
        for place in 0..=1000 {
            let knob = param.preview_plain(place as f32 / 1000.0);
            let is_free = energy_wish(knob).is_none();
            assert_eq!(shown(knob) == FREE, is_free, "{knob}");
            n_free += usize::from(is_free);
        }
        assert!((1..=5).contains(&n_free), "{n_free}");
        assert_eq!(energy_wish(param.value()), None);
    }

    #[test]
    fn more_is_never_less_and_beside_the_middle_is_the_mean() {
        let wishes: Vec<f32> = (0..=200)
            .filter_map(|place| energy_wish((place as f32 - 100.0) / 100.0))
            .collect();
        assert!(wishes.is_sorted());
        assert_eq!((wishes.first(), wishes.last()), (Some(&0.0), Some(&1.0)));
        let beside = [-0.01, 0.01].map(|knob| energy_wish(knob).unwrap_or_default());
        assert!(beside.iter().all(|wish| (wish - 0.5).abs() < 0.006));
        assert_eq!([shown(-1.0), shown(0.3)], ["-100 %", "+30 %"]);
        assert_eq!(read("free"), Some(0.0));
        assert_eq!(read("loud"), None);
    }
}
