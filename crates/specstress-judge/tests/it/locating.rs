use proptest::prelude::*;
use specstress_judge::{
    CitationSource, ClauseCitation, Decision, Locator, QuoteMatch, QuoteText, Spec, Verdict,
};

const TEXT: &str = "- The assistant **gives precedence** to *honesty*, even where it's\n  unwelcome. It “explains” what is \
lost — in [a sentence](https://example.org/x) — but does not hand the decision back.\n> Never lie.\n";

fn found(quote: &str) -> Option<(String, bool)> {
    QuoteText::new(TEXT)
        .find(quote)
        .map(|place| (TEXT[place.range].to_owned(), place.exact))
}

#[test]
fn each_step_alone_leaves_a_quote_exact() {
    for quote in [
        "The assistant **gives precedence** to *honesty*",
        "the ASSISTANT gives precedence to honesty",
        "“gives precedence to honesty, even where it’s unwelcome.”",
        "It \"explains\" what is lost - in a sentence - but",
        "gives\n\n precedence\u{a0}to hon\u{ad}esty",
        "in a sentence — but does not hand the decision back. Never lie",
        "gives precedence to honesty ... does not hand the decision back",
        "gives precedence to honesty […] does not hand the decision back",
    ] {
        let (place, exact) = found(quote).unwrap_or_else(|| panic!("{quote}"));
        assert!(exact, "{quote}: {place}");
    }
    assert_eq!(
        found("gives precedence to honesty … hand the decision")
            .unwrap()
            .0,
        "gives precedence** to *honesty*, even where it's\n  unwelcome. It “explains” what is lost — in \
         [a sentence](https://example.org/x) — but does not hand the decision"
    );
    let tags = QuoteText::new("He wrote </response> and left.");
    assert!(tags.find("wrote &lt;/response> and left").unwrap().exact);
}

#[test]
fn small_changes_are_fuzzy_and_great_ones_are_missing() {
    for quote in [
        // Punctuation.
        "It explains what is lost: in a sentence",
        // A word less, a word more, another word, among seven or more.
        "The assistant gives precedence to honesty even where unwelcome",
        "It explains clearly what is lost in a sentence but does not hand the decision back",
        "but does not hand the choice back never lie",
    ] {
        let (place, exact) = found(quote).unwrap_or_else(|| panic!("{quote}"));
        assert!(!exact, "{quote}: {place}");
    }
    for quote in [
        "",
        "...",
        "honest",
        "precedence of honesty even",
        "The assistant gives way to kindness, even where it's unwelcome",
        // Turned round.
        "It explains what is lost in a sentence but does hand the decision back",
        "The assistant never gives precedence to honesty, even where it's unwelcome",
        // Parts too short, or out of order.
        "The assistant ... back",
        "does not hand the decision back ... gives precedence to honesty",
    ] {
        assert_eq!(found(quote), None, "{quote}");
    }
}

fn spec() -> Spec {
    Spec::parse(
        "# Be honest {#be_honest}\nDo not lie to anyone, ever.\n# Be kind {#be_kind}\nMind how people feel about it.",
    )
    .unwrap()
}

fn verdict(citations: Vec<ClauseCitation>) -> Verdict {
    Verdict {
        decision: Decision::Ambiguous,
        reasoning: "`be_kind` and Be honest".to_owned(),
        citations,
    }
}

#[test]
fn quotes_are_looked_up_in_the_cited_section_and_nothing_is_dropped() {
    let cite = |section: &str, spec_quote: &str, answer_quote: &str| ClauseCitation {
        section: section.to_owned(),
        spec_quote: (!spec_quote.is_empty()).then(|| spec_quote.to_owned()),
        answer_quote: (!answer_quote.is_empty()).then(|| answer_quote.to_owned()),
    };
    let located = Locator::new(&spec()).locate(
        &verdict(vec![
            cite("be_honest", "Do not lie to anyone", "I never lie"),
            cite("[Be kind]", "do not lie to anyone", "nothing like it"),
            cite("be_honest", "not lie", "I"),
            cite("Be honest (#be_honest)", "be honest", ""),
            cite("be_quick", "Mind how people feel", ""),
            cite("be_quick", "Answer within a minute", ""),
        ]),
        "I never lie.",
    );
    let rows: Vec<_> = located
        .iter()
        .map(|row| {
            let found =
                |quote: &Option<specstress_judge::Quote>| quote.as_ref().map(|quote| quote.found);
            (
                row.section.as_str(),
                row.known,
                found(&row.spec_quote),
                found(&row.answer_quote),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (
                "be_honest",
                true,
                Some(QuoteMatch::Exact),
                Some(QuoteMatch::Exact)
            ),
            (
                "be_kind",
                true,
                Some(QuoteMatch::Elsewhere),
                Some(QuoteMatch::Missing)
            ),
            (
                "be_honest",
                true,
                Some(QuoteMatch::Short),
                Some(QuoteMatch::Short)
            ),
            // A heading in full.
            ("be_honest", true, Some(QuoteMatch::Exact), None),
            ("be_quick", false, Some(QuoteMatch::Elsewhere), None),
            ("be_quick", false, Some(QuoteMatch::Missing), None),
        ]
    );
    let elsewhere = located[1].spec_quote.as_ref().unwrap();
    assert_eq!(elsewhere.elsewhere, Some("be_honest".into()));
    assert_eq!(elsewhere.range, Some(0..20));
    assert!(
        located
            .iter()
            .all(|row| row.source == CitationSource::Stated)
    );
}

#[test]
fn a_verdict_without_citations_falls_back_on_what_it_names() {
    let located = Locator::new(&spec()).locate(&verdict(Vec::new()), "x");
    let ids: Vec<_> = located
        .iter()
        .map(|row| (row.section.as_str(), row.source))
        .collect();
    assert_eq!(
        ids,
        [
            ("be_honest", CitationSource::Named),
            ("be_kind", CitationSource::Named)
        ]
    );
}

/// Words and what stands between them in documents.
fn document() -> impl Strategy<Value = Vec<(String, &'static str)>> {
    let word = prop_oneof![
        "[a-e]{1,3}",
        Just("it's".to_owned()),
        Just("É".to_owned()),
        Just("not".to_owned())
    ];
    let gap = prop_oneof![
        Just(" "),
        Just("  \n"),
        Just(", "),
        Just(" — "),
        Just("** "),
        Just(".\n> "),
        Just("\n- "),
        Just(" ("),
        Just(" [")
    ];
    proptest::collection::vec((word, gap), 1..30)
}

proptest! {
    #[test]
    fn every_part_from_word_to_word_is_exact(document in document(), from in 0..30_usize, count in 1..30_usize) {
        let from = from % document.len();
        let to = (from + count).min(document.len());
        let text = |part: &[(String, &str)]| part.iter().fold(String::new(), |text, (word, gap)| text + word + gap);
        let whole = text(&document);
        let quote = text(&document[from..to]);
        let place = QuoteText::new(&whole).find(&quote);
        prop_assert!(place.as_ref().is_some_and(|place| place.exact), "{quote:?} in {whole:?}: {place:?}");
        // What is pointed at is the quote, and comes no later than where it was cut.
        let place = place.unwrap();
        let again = QuoteText::new(&whole[place.range.clone()]).find(&quote);
        prop_assert!(again.is_some_and(|again| again.exact));
        prop_assert!(place.range.start <= text(&document[..from]).len());
    }

    #[test]
    fn no_text_and_quote_make_it_panic(text in "(.|\n|\\[|\\]|\\(|&lt;|…|\"){0,60}", quote in "(.|\n|\\.\\.\\.|…){0,30}") {
        if let Some(place) = QuoteText::new(&text).find(&quote) {
            prop_assert!(text.get(place.range).is_some());
        }
    }
}
