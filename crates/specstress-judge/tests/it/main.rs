//! The crate as its users see it.

#[cfg(test)]
mod diffs;
#[cfg(test)]
mod judging;
#[cfg(test)]
mod panels;
#[cfg(test)]
mod parsing;
#[cfg(test)]
mod published;
#[cfg(test)]
mod specs;
