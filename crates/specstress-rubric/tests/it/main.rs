//! The crate as its users see it.

#[cfg(test)]
mod asking;
#[cfg(test)]
mod classifying;
#[cfg(test)]
mod parsing;
#[cfg(test)]
mod prompts;
#[cfg(test)]
mod released;
#[cfg(test)]
mod support;
