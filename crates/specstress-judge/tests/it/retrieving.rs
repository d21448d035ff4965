use futures_executor::block_on;
use specstress_judge::{
    Judge, JudgeError, JudgePrompts, LlmJudge, SectionIndex, Spec, SpecSections,
};
use specstress_llm::{CallSettings, ScriptedModel, read_block};

const SPEC: &str = "# House\n## Pets {#pets authority=user}\nCats sleep here, and cats eat here.\n### Dogs {#dogs}\n\
Dogs may bark at night.\n## Tea {#tea}\nTea is hot. Cats do not drink tea.\n## Quiet {#quiet}\nNight is quiet.\n";

#[test]
fn scores_are_those_of_the_formula() {
    let spec = Spec::parse(SPEC).unwrap();
    let index = SectionIndex::new(&spec);
    // Written out: title and text as words, one idf per distinct word of the query.
    let documents: Vec<Vec<String>> = spec
        .sections
        .iter()
        .map(|section| {
            let text = format!("{} {}", section.title, section.text).to_lowercase();
            text.split(|c: char| !c.is_alphanumeric())
                .filter(|w| !w.is_empty())
                .map(str::to_owned)
                .collect()
        })
        .collect();
    let mean = documents.iter().map(Vec::len).sum::<usize>() as f64 / documents.len() as f64;
    for query in [
        "cats",
        "cats at night",
        "Tea, cats; tea!",
        "dogs dogs sleep",
        "is it hot at night",
    ] {
        let mut words: Vec<String> = query
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort();
        words.dedup();
        let score = |document: &Vec<String>| -> f64 {
            words
                .iter()
                .map(|word| {
                    let n = documents.iter().filter(|d| d.contains(word)).count() as f64;
                    let f = document.iter().filter(|w| *w == word).count() as f64;
                    let idf = (1.0 + (documents.len() as f64 - n + 0.5) / (n + 0.5)).ln();
                    idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * document.len() as f64 / mean))
                })
                .sum()
        };
        let mut order: Vec<usize> = (0..documents.len()).collect();
        order.sort_by(|&a, &b| {
            score(&documents[b])
                .total_cmp(&score(&documents[a]))
                .then(a.cmp(&b))
        });
        for most in 1..=documents.len() {
            let mut expected = order[..most].to_vec();
            expected.sort_unstable();
            assert_eq!(index.nearest(query, most), expected, "{query} {most}");
        }
    }
}

#[test]
fn a_judge_is_shown_the_nearest_sections_under_their_headings() {
    let spec = Spec::parse(SPEC).unwrap();
    let good = r#"{"reasoning": "fine", "decision": "compliant"}"#;
    let model = ScriptedModel::new("m").reply(good).reply(good);
    let judge = LlmJudge::new(
        "j",
        &model,
        &spec,
        &JudgePrompts::default(),
        CallSettings::default(),
    )
    .unwrap();
    let near = judge
        .clone()
        .with_sections(&spec, SpecSections::Retrieve(1))
        .unwrap();
    block_on(near.judge("Do they bark?", "Dogs do.")).unwrap();
    let whole = judge
        .clone()
        .with_sections(&spec, SpecSections::Whole)
        .unwrap();
    block_on(whole.judge("Do they bark?", "Dogs do.")).unwrap();
    let shown = |at: usize| {
        let text = model.requests()[at].last_user_text();
        (read_block(&text, "model_spec").unwrap(), text)
    };
    let (excerpt, prompt) = shown(0);
    assert_eq!(
        excerpt.trim(),
        "# House\n\n## Pets {#pets authority=user}\n\n### Dogs {#dogs}\n\nDogs may bark at night."
    );
    assert!(prompt.starts_with("These are the sections"), "{prompt}");
    let (all, prompt) = shown(1);
    assert_eq!(all, spec.text);
    assert!(
        prompt.starts_with("This is the model spec, complete:\n\n<model_spec>"),
        "{prompt}"
    );
    let error = judge
        .with_sections(&spec, SpecSections::Retrieve(0))
        .unwrap_err();
    assert!(matches!(error, JudgeError::NoSections));
}
