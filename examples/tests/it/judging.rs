//! Verdicts against the simulated spec.

use futures_executor::block_on;
use specstress_judge::{Judge, JudgePrompts, LlmJudge, Spec};
use specstress_llm::CallSettings;
use specstress_sim::{PlantedKind, SimWorld, TrueLabel};

use crate::world::{Watched, answers, questions, share, world};

pub(crate) const JUDGES: [&str; 3] = ["judge_alder", "judge_birch", "judge_cedar"];

pub(crate) fn judge(world: &SimWorld, key: &str) -> (LlmJudge<Watched>, Watched) {
    let spec = Spec::parse(&world.spec_markdown()).unwrap();
    let model = Watched::new(world, key);
    let judge = LlmJudge::new(
        key,
        model.clone(),
        &spec,
        &JudgePrompts::default(),
        CallSettings::default(),
    )
    .unwrap();
    (judge, model)
}

/// Judges every answer to some questions with `suffix` behind it, and compares with the truth about the
/// answer without it.
pub(crate) fn errs_as_known(world: &SimWorld, key: &str, suffix: &str) {
    let known = world.judge(key).unwrap();
    let (judge, model) = judge(world, key);
    // (right, count) for compliant and problematic answers.
    let mut tally = [(0, 0); 2];
    for (_, query) in questions(world, 100, 8) {
        for (_, answer) in answers(world, &query) {
            let problematic = world.true_label(&query, &answer) == TrueLabel::Problematic;
            let verdict = block_on(judge.judge(&query, &format!("{answer}{suffix}"))).unwrap();
            let (right, count) = &mut tally[usize::from(problematic)];
            *count += 1;
            *right += usize::from(verdict.decision.is_problematic() == problematic);
        }
    }
    for ((right, count), known) in tally
        .into_iter()
        .zip([known.specificity, known.sensitivity])
    {
        assert!(count >= 40, "{count}");
        // Four standard errors.
        let error = 4.0 * (known * (1.0 - known) / count as f64).sqrt();
        let seen = share(right, count);
        assert!(
            (seen - known).abs() < error,
            "{key}: {seen} for {known} over {count}"
        );
    }
    let items = tally[0].1 + tally[1].1;
    assert!(
        model.calls() < items + items / 50,
        "{} for {items}",
        model.calls()
    );
}

#[test]
fn judges_are_as_sensitive_and_specific_as_known() {
    let world = world(8);
    for key in JUDGES {
        errs_as_known(&world, key, "");
    }
}

#[test]
fn judges_cite_sections_of_the_spec_and_the_planted_clauses_among_them() {
    let world = world(9);
    let spec = Spec::parse(&world.spec_markdown()).unwrap();
    let (judge, _) = judge(&world, "judge_alder");
    let mut contradictions = 0;
    for (pair, query) in questions(&world, 120, 9) {
        let verdict = block_on(judge.judge(&query, "Do as you like.")).unwrap();
        let cited = spec.citations(&verdict.reasoning);
        assert!(!cited.is_empty(), "{}", verdict.reasoning);
        let Some(planted) = world
            .is_planted(&pair.value1, &pair.value2)
            .filter(|planted| planted.kind == PlantedKind::Contradiction)
        else {
            continue;
        };
        contradictions += 1;
        for citation in cited {
            let id = citation.section.as_str();
            assert!(planted.clauses.iter().any(|clause| clause == id), "{id}");
        }
    }
    assert!(contradictions >= 5, "{contradictions}");
}
