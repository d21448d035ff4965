use std::collections::{BTreeMap, BTreeSet};

use specstress_dataset::TableDir;
use specstress_dataset::rows::{CitationRow, SectionRow, VerdictRow};
use specstress_judge::Decision;

use super::Ground;
use crate::data::SectionRef;
use crate::data::scan;
use crate::error::ReportError;

/// Question, model, sample.
pub(super) type Key = (String, String, u32);

#[derive(Default)]
pub(super) struct Judged {
    pub(super) answers: BTreeMap<Key, Answer>,
    pub(super) sections: Vec<SectionRef>,
}

#[derive(Default)]
pub(super) struct Answer {
    /// By judge.
    pub(super) decisions: BTreeMap<String, Decision>,
    pub(super) grounds: Vec<Ground>,
    known: BTreeSet<String>,
}

impl Answer {
    /// Sections of the spec that a judge invokes.
    pub(super) fn sections(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }
}

pub(super) fn read(tables: &TableDir) -> Result<Judged, ReportError> {
    let mut judged = Judged::default();
    scan::scan::<VerdictRow>(tables, |_, row| {
        let answer = judged
            .answers
            .entry((row.scenario_id, row.model, row.sample));
        let answer = answer.or_default();
        if let Some(decision) = row.decision {
            answer.decisions.insert(row.judge, decision);
        }
        Ok(())
    })?;
    scan::scan::<CitationRow>(tables, |_, row| {
        let answer = judged
            .answers
            .entry((row.scenario_id, row.model, row.sample));
        let answer = answer.or_default();
        if row.known {
            answer.known.insert(row.section.clone());
        }
        answer.grounds.push(Ground {
            judge: row.judge,
            decision: row.decision.as_str().to_owned(),
            section: row.section,
            spec_quote: row.spec_quote,
            spec_match: row.spec_match.map(|found| found.as_str().to_owned()),
            answer_quote: row.answer_quote,
            answer_match: row.answer_match.map(|found| found.as_str().to_owned()),
        });
        Ok(())
    })?;
    scan::scan::<SectionRow>(tables, |_, row| {
        judged.sections.push(SectionRef {
            section: row.section,
            title: row.title,
        });
        Ok(())
    })?;
    Ok(judged)
}
