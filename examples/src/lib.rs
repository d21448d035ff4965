//! Programs that use `specstress` as a library, in the folder `examples`; the README lists them.
//!
//! The tests of this package hold the parts of the workspace together: everything that asks a language
//! model, against the simulated models whose truth is known.
