//! Columns as trees read them: short, and quick to read at a few of the rows.

/// A column with each value replaced by its place among the distinct ones.
pub(super) struct Column {
    /// Distinct values, rising.
    pub(super) values: Vec<f32>,
    /// The place of each row's value. Beyond 65,535 distinct values, neighbours share a place.
    pub(super) places: Vec<u16>,
    /// The place that most rows have.
    pub(super) common: u16,
    /// The other rows, with their places.
    pub(super) others: Vec<(u32, u16)>,
}

impl Column {
    pub(super) fn of(column: &[f32]) -> Self {
        let mut values = column.to_vec();
        values.sort_unstable_by(f32::total_cmp);
        values.dedup();
        let n_sharing = values.len().div_ceil(usize::from(u16::MAX)).max(1);
        let values: Vec<f32> = values.chunks(n_sharing).map(|v| v[v.len() - 1]).collect();
        let place = |x: &f32| values.partition_point(|value| value < x);
        let places: Vec<u16> = column
            .iter()
            .map(|x| u16::try_from(place(x)).unwrap_or(u16::MAX))
            .collect();
        let mut n_rows = vec![0_u32; values.len()];
        for place in &places {
            n_rows[usize::from(*place)] += 1;
        }
        let common = (0..).zip(&n_rows).max_by_key(|(_, n)| **n);
        let common = common.map_or(0, |(place, _)| place);
        let rows = (0..).zip(places.iter().copied());
        Self {
            values,
            common,
            others: rows.filter(|(_, place)| *place != common).collect(),
            places,
        }
    }

    /// The last place whose value is at most the threshold.
    pub(super) fn last_below(&self, threshold: f32) -> u16 {
        let n_below = self.values.partition_point(|value| *value <= threshold);
        u16::try_from(n_below.saturating_sub(1)).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_read_by_the_places_of_its_values() {
        let column = Column::of(&[0.0, 0.5, 0.0, -1.0]);
        assert_eq!(column.values, [-1.0, 0.0, 0.5]);
        assert_eq!(column.places, [1, 2, 1, 0]);
        assert_eq!(
            (column.common, &column.others[..]),
            (1, &[(1, 2), (3, 0)][..])
        );
        assert_eq!([0.4, 0.5].map(|x| column.last_below(x)), [1, 2]);
    }
}
