use std::collections::BTreeMap;

use serde::Serialize;

/// What the batch service of one provider was asked and did; part of [`ServerStats`](crate::ServerStats).
///
/// At xAI a batch is counted when it is made and its items with each request that adds some.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BatchStats {
    /// Batches made.
    pub created: u64,
    /// Batches (at xAI: additions) with the same item ids as an earlier one.
    pub same_items: u64,
    /// Of those, how many were made while the earlier one was still running or had answered something: work that
    /// is done and paid twice.
    pub duplicates: u64,
    /// Batches with the same name or metadata as an earlier one; those without any are not counted.
    pub same_label: u64,
    /// Items in all batches.
    pub items: u64,
    /// Items that ended with an answer that can be had.
    pub answered: u64,
    /// Answers to items that a batch had answered before.
    pub answered_again: u64,
    /// Items that a model answered and the provider bills, whether the answer can be had or not. Items that
    /// failed, expired or were cancelled before are not billed.
    pub billed: u64,
    /// Items that ended with an error.
    pub errored: u64,
    /// Items that expired.
    pub expired: u64,
    /// Items that were cancelled.
    pub cancelled: u64,
    /// Uploads of files.
    pub uploads: u64,
    /// Questions about one batch.
    pub polls: u64,
    /// Lists of batches.
    pub lists: u64,
    /// Downloads of results: whole files, or pages at xAI; those that broke off too.
    pub downloads: u64,
    /// Cancellations.
    pub cancels: u64,
    /// Deletions of batches and files.
    pub deletes: u64,
    /// Requests refused for what they are (HTTP 4xx).
    pub rejected: u64,
    /// Faults, by the names of their options; those that did not happen are not listed.
    pub faults: BTreeMap<&'static str, u64>,
}

impl BatchStats {
    pub(super) fn fault(&mut self, name: &'static str) {
        *self.faults.entry(name).or_default() += 1;
    }
}
