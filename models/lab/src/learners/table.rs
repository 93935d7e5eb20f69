//! A table of numbers: what every learner reads.

/// Examples in rows, what is known of each in columns. Row after row in one vector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Examples.
    pub n_rows: usize,
    /// Numbers of each example.
    pub n_columns: usize,
    /// All numbers, `n_rows × n_columns`; every one is finite.
    pub values: Vec<f32>,
}

impl Table {
    /// A table from its numbers, row after row; an incomplete last row is left out.
    pub fn new(n_columns: usize, mut values: Vec<f32>) -> Self {
        let n_rows = values.len() / n_columns.max(1);
        values.truncate(n_rows * n_columns);
        Self {
            n_rows,
            n_columns,
            values,
        }
    }

    /// One row.
    pub fn row(&self, row_idx: usize) -> &[f32] {
        &self.values[row_idx * self.n_columns..][..self.n_columns]
    }

    /// All rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.n_columns.max(1))
    }

    /// A table of some of the rows, in the order given.
    #[must_use]
    pub fn select(&self, row_idxs: &[usize]) -> Self {
        let rows = row_idxs.iter().flat_map(|row_idx| self.row(*row_idx));
        Self::new(self.n_columns, rows.copied().collect())
    }

    /// All numbers column after column.
    pub(super) fn by_column(&self) -> Vec<f32> {
        let columns = 0..self.n_columns;
        columns
            .flat_map(|column| self.rows().map(move |row| row[column]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_can_be_chosen_and_read_by_column() {
        let table = Table::new(2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!((table.n_rows, table.row(1)), (3, &[3.0, 4.0][..]));
        let chosen = table.select(&[2, 0]);
        assert_eq!(chosen.values, [5.0, 6.0, 1.0, 2.0]);
        assert_eq!(chosen.by_column(), [5.0, 1.0, 6.0, 2.0]);
    }
}
