//! Random draws that are pure functions of their coordinates.
//!
//! A take must be the same whatever the block size and however often a measure is requested, so nothing here has state:
//! every draw is a hash of its coordinates. The mixer is SplitMix64's finaliser (Steele et al., "Fast Splittable
//! Pseudorandom Number Generators", 2014).

/// A hash of the coordinates, uniform over `u64`.
pub fn hash(coordinates: &[u64]) -> u64 {
    coordinates.iter().fold(0x9E37_79B9_7F4A_7C15, |state, &x| {
        let mut z = (state ^ x).wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    })
}

/// A draw from the open interval (0, 1).
///
/// ```
/// use lockstep_core::draws::uniform;
///
/// assert_eq!(uniform(&[7, 1]).to_bits(), uniform(&[7, 1]).to_bits());
/// assert!((0.0..1.0).contains(&uniform(&[7, 2])));
/// ```
pub fn uniform(coordinates: &[u64]) -> f32 {
    // 23 bits plus a half: the draw is never 0 or 1, so its logarithm stays finite.
    ((hash(coordinates) >> 41) as f32 + 0.5) / (1_u64 << 23) as f32
}

/// A draw from the standard normal distribution (Box and Muller, 1958).
pub fn normal(coordinates: &[u64]) -> f32 {
    let bits = hash(coordinates);
    let radius = (-2.0 * uniform(&[bits, 1]).ln()).sqrt();
    radius * (std::f32::consts::TAU * uniform(&[bits, 2])).cos()
}

/// A draw from the standard Gumbel distribution: of log-odds to which such draws are added, each is the largest with the
/// probability that it stands for.
pub fn gumbel(coordinates: &[u64]) -> f32 {
    -(-uniform(coordinates).ln()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_fill_their_interval_evenly() {
        let n = 20_000;
        let mean = (0..n).map(|i| uniform(&[7, i])).sum::<f32>() / n as f32;
        assert!((mean - 0.5).abs() < 0.01, "mean {mean}");
        let square = (0..n).map(|i| normal(&[7, i]).powi(2)).sum::<f32>() / n as f32;
        assert!((square - 1.0).abs() < 0.05, "variance {square}");
    }

    #[test]
    fn neighbouring_coordinates_are_unrelated() {
        assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
        let n = 20_000;
        let product: f32 = (0..n).map(|i| normal(&[i]) * normal(&[i + 1])).sum();
        assert!((product / n as f32).abs() < 0.03);
    }
}
