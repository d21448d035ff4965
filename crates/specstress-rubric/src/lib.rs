//! Spectra of answering strategies, classification of answers, and labels.

mod classification;
mod labels;
mod position;
mod spectrum;

pub use classification::{
    Answer, Classification, ClassificationTask, Classifications, Classifier, Rating,
};
pub use labels::{Labeler, RefusalKind, Topic};
pub use position::{Position, PositionError};
pub use spectrum::{Spectrum, SpectrumBuilder, SpectrumPair, TripleQueries};
