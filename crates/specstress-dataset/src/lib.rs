//! Tables of a study.

pub mod rows;
