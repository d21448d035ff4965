use crate::StatsError;

/// One cell of a matrix of scores: `u8`, `u16`, `f64`, or an `Option` of these.
///
/// `None` is a missing score. Integer scores are measured in integers, which makes
/// comparisons with a threshold exact; `f64` scores must be finite. The trait is sealed.
pub trait Score: Copy + Send + Sync + sealed::Sealed {}

impl<T: Copy + Send + Sync + sealed::Sealed> Score for T {}

/// A score as the algorithms see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    Integer(u32),
    Real(f64),
}

impl Reading {
    pub(crate) fn to_f64(self) -> f64 {
        match self {
            Reading::Integer(i) => f64::from(i),
            Reading::Real(x) => x,
        }
    }
}

/// The reading of a cell, refusing NaN and infinities.
pub(crate) fn read<S: Score>(
    score: S,
    row: usize,
    column: usize,
) -> Result<Option<Reading>, StatsError> {
    let reading = score.reading();
    if let Some(Reading::Real(value)) = reading {
        StatsError::finite(row, column, value)?;
    }
    Ok(reading)
}

mod sealed {
    use super::Reading;

    pub trait Sealed {
        fn reading(self) -> Option<Reading>;
    }

    impl Sealed for u8 {
        fn reading(self) -> Option<Reading> {
            Some(Reading::Integer(u32::from(self)))
        }
    }

    impl Sealed for u16 {
        fn reading(self) -> Option<Reading> {
            Some(Reading::Integer(u32::from(self)))
        }
    }

    impl Sealed for f64 {
        fn reading(self) -> Option<Reading> {
            Some(Reading::Real(self))
        }
    }

    impl<T: Sealed> Sealed for Option<T> {
        fn reading(self) -> Option<Reading> {
            self.and_then(Sealed::reading)
        }
    }
}
