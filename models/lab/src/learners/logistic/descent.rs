//! Minimum of a convex function by limited-memory BFGS (Nocedal, 1980).

use std::collections::VecDeque;

/// Steps that are remembered.
const MEMORY: usize = 10;

/// The descent ends where no slope is steeper.
const FLAT: f64 = 1e-6;

/// The descent ends when a step lowers the value by less than this share of it.
const STILL: f64 = 1e-12;

/// Lowers a function from `point` until it is flat or `max_steps` were made. `value` returns value and gradient.
pub(super) fn minimum(
    mut point: Vec<f64>,
    max_steps: usize,
    value: impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> Vec<f64> {
    let (mut height, mut gradient) = value(&point);
    let mut memory = VecDeque::with_capacity(MEMORY);
    for _ in 0..max_steps {
        if gradient.iter().all(|slope| slope.abs() < FLAT) {
            break;
        }
        let direction = direction(&gradient, &memory);
        let slope = dot(&gradient, &direction);
        // The first direction is the gradient itself, whose length says little.
        let mut length = match memory.len() {
            0 => dot(&gradient, &gradient).sqrt().recip().min(1.0),
            _ => 1.0,
        };
        let next = loop {
            let to: Vec<f64> = point
                .iter()
                .zip(&direction)
                .map(|(x, d)| x + length * d)
                .collect();
            let (lower, gradient) = value(&to);
            // Armijo's condition.
            if lower <= height + 1e-4 * length * slope {
                break Some((to, lower, gradient));
            }
            length /= 2.0;
            if length < 1e-12 {
                break None;
            }
        };
        let Some((to, lower, steeper)) = next else {
            break;
        };
        let step = difference(&to, &point);
        let bend = difference(&steeper, &gradient);
        let curvature = dot(&step, &bend);
        if curvature > 0.0 {
            if memory.len() == MEMORY {
                memory.pop_front();
            }
            memory.push_back((step, bend, curvature));
        }
        let is_still = height - lower <= STILL * height.abs().max(lower.abs()).max(1.0);
        (point, height, gradient) = (to, lower, steeper);
        if is_still {
            break;
        }
    }
    point
}

/// A step: where it led, how the gradient changed, and the product of both.
type Step = (Vec<f64>, Vec<f64>, f64);

/// The way down, bent by what the last steps taught.
fn direction(gradient: &[f64], memory: &VecDeque<Step>) -> Vec<f64> {
    let mut way: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for (step, bend, curvature) in memory.iter().rev() {
        let share = dot(step, &way) / curvature;
        add(&mut way, -share, bend);
        shares.push(share);
    }
    if let Some((_, bend, curvature)) = memory.back() {
        let scale = curvature / dot(bend, bend);
        for x in &mut way {
            *x *= scale;
        }
    }
    for ((step, bend, curvature), share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = dot(bend, &way) / curvature;
        add(&mut way, share - back, step);
    }
    way
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    for (x, y) in to.iter_mut().zip(what) {
        *x += times * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bottom_of_a_narrow_valley_is_found() {
        let valley = |p: &[f64]| {
            let (x, y) = (p[0] - 3.0, p[1] + 2.0);
            (x * x + 1000.0 * y * y, vec![2.0 * x, 2000.0 * y])
        };
        let bottom = minimum(vec![0.0, 0.0], 100, valley);
        assert!((bottom[0] - 3.0).abs() < 1e-5 && (bottom[1] + 2.0).abs() < 1e-5);
    }
}
