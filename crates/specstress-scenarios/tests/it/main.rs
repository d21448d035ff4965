//! The crate as its users see it.

#[cfg(test)]
mod generation;
#[cfg(test)]
mod parsing;
#[cfg(test)]
mod prompts;
#[cfg(test)]
mod released;
