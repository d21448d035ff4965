use ndarray::ArrayView2;

use crate::StatsError;
use crate::score::{Reading, Score, read};

/// The models to measure: every row, or the rows of a subset checked against the array.
pub(crate) fn chosen(models: usize, subset: Option<&[usize]>) -> Result<Vec<usize>, StatsError> {
    let Some(subset) = subset else {
        return Ok((0..models).collect());
    };
    if subset.is_empty() {
        return Err(StatsError::EmptySubset);
    }
    let mut seen = vec![false; models];
    for &index in subset {
        let slot = seen
            .get_mut(index)
            .ok_or(StatsError::SubsetIndex { index, models })?;
        if std::mem::replace(slot, true) {
            return Err(StatsError::SubsetRepeats { index });
        }
    }
    Ok(subset.to_vec())
}

/// Refuses a matrix without rows or columns.
pub(crate) fn not_empty(rows: usize, columns: usize) -> Result<(), StatsError> {
    if rows == 0 || columns == 0 {
        return Err(StatsError::EmptyArray { rows, columns });
    }
    Ok(())
}

/// The scores of the chosen models, row by row in the order chosen, reusing one buffer.
#[derive(Debug, Default)]
pub(crate) struct Panel {
    readings: Vec<Option<Reading>>,
    values: usize,
}

impl Panel {
    pub(crate) fn fill<S: Score>(
        &mut self,
        scores: ArrayView2<'_, S>,
        models: &[usize],
    ) -> Result<(), StatsError> {
        self.values = scores.ncols();
        self.readings.clear();
        for &model in models {
            for (value, &score) in scores.row(model).iter().enumerate() {
                self.readings.push(read(score, model, value)?);
            }
        }
        Ok(())
    }

    /// One slice of `values` readings per chosen model.
    pub(crate) fn rows(&self) -> std::slice::ChunksExact<'_, Option<Reading>> {
        self.readings.chunks_exact(self.values)
    }

    pub(crate) fn values(&self) -> usize {
        self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_checked_by_index() {
        assert_eq!(chosen(3, None), Ok(vec![0, 1, 2]));
        assert_eq!(chosen(3, Some(&[2, 0])), Ok(vec![2, 0]));
        assert_eq!(chosen(3, Some(&[])), Err(StatsError::EmptySubset));
        assert_eq!(
            chosen(3, Some(&[3])),
            Err(StatsError::SubsetIndex {
                index: 3,
                models: 3
            })
        );
        assert_eq!(
            chosen(3, Some(&[1, 1])),
            Err(StatsError::SubsetRepeats { index: 1 })
        );
    }
}
