use std::collections::BTreeSet;

use proptest::prelude::*;
use specstress_report::{Html, Renderer};

use crate::fixture::report;

const VOID: [&str; 2] = ["meta", "line"];

/// The value of an attribute in a tag's text.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let end = tag[start..].find('"')?;
    Some(&tag[start..start + end])
}

/// Tags are balanced and known, attributes quoted, ids unique and found by every reference to them, table
/// heads scoped, drawings named, and nothing is loaded from anywhere.
pub(crate) fn check(page: &str) {
    assert!(
        page.starts_with("<!doctype html>\n<html lang=\"en\">"),
        "{page:.80}"
    );
    let style = page.find("<style>").unwrap()..page.find("</style>").unwrap();
    for loader in ["url(", "@import"] {
        assert!(!page[style.clone()].contains(loader), "{loader}");
    }
    let mut open: Vec<&str> = Vec::new();
    let (mut ids, mut references) = (BTreeSet::new(), Vec::new());
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let end = rest.find('>').expect("every tag ends");
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closing {name}");
            continue;
        }
        let name = tag.split_whitespace().next().unwrap().trim_end_matches('/');
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{tag}");
        assert!(
            ![
                "script", "link", "img", "iframe", "object", "embed", "base", "form"
            ]
            .contains(&name),
            "{tag}"
        );
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        for handler in [" on", " src=", " srcset="] {
            let outside: String = tag.split('"').step_by(2).collect();
            assert!(!outside.contains(handler), "{tag}");
        }
        if let Some(id) = attribute(tag, "id") {
            assert!(ids.insert(id), "id {id} twice");
        }
        if let Some(target) = attribute(tag, "href") {
            references.push(
                target
                    .strip_prefix('#')
                    .expect("only links inside the page"),
            );
        }
        references.extend(
            attribute(tag, "aria-labelledby")
                .unwrap_or_default()
                .split_whitespace(),
        );
        if name == "th" {
            assert!(attribute(tag, "scope").is_some(), "{tag}");
        }
        if name == "svg" {
            assert!(attribute(tag, "aria-labelledby").is_some(), "{tag}");
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
    for reference in references {
        assert!(ids.contains(reference), "#{reference} leads nowhere");
    }
}

#[test]
fn the_page_is_well_formed_and_alone() {
    let page = Html::default().render(&report()).unwrap();
    check(&page);
    assert_eq!(page.matches("<svg ").count(), 1 + 2 + 1 + 1 + 1 + 4);
    assert!(page.contains("prefers-color-scheme: dark"));
}

#[test]
fn text_by_models_stays_text() {
    let page = Html::default().render(&report()).unwrap();
    assert!(page.contains("&lt;&#x2f;td&gt;"));
    assert!(page.contains(
        "&lt;script&gt;alert(&quot;x&quot;)&lt;&#x2f;script&gt; &amp; &#x27;quoted&#x27;"
    ));
    assert!(page.contains("House rules &amp; &lt;first&gt; draft"));
    // In drawings too.
    assert!(page.contains("Bly | &lt;b&gt;</text>"));
    assert!(!page.contains("<script") && !page.contains("<first") && !page.contains("<i>"));
}

#[test]
fn the_first_thing_on_the_page_is_the_banner() {
    let page = Html::default().render(&report()).unwrap();
    let banner = page
        .find("Simulated panel: no real model was asked.")
        .unwrap();
    assert!(banner < page.find("<header>").unwrap());
}

#[test]
fn the_checker_finds_faults() {
    let page = Html::default().render(&report()).unwrap();
    for (old, new) in [
        ("</table>", ""),
        ("<main id=\"main\">", "<main id=\"main\"><script>"),
        ("<th scope=\"row\">", "<th>"),
        ("id=\"topics\"", "id=\"judges\""),
        ("<main ", "<main onload=\"x\" "),
    ] {
        let broken = page.replacen(old, new, 1);
        assert_ne!(broken, page, "{old}");
        assert!(
            std::panic::catch_unwind(|| check(&broken)).is_err(),
            "{old}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_page(text in "[ -~\\n\"'<>&/]{0,60}") {
        let mut report = report();
        report.info.title.clone_from(&text);
        report.info.panel[0].provider.clone_from(&text);
        let sharp = &mut report.sharpest.as_mut().unwrap()[0];
        sharp.scenario_id.clone_from(&text);
        sharp.answers[0].text = Some(text.clone());
        sharp.answers[0].model.name.clone_from(&text);
        let question = sharp.question.as_mut().unwrap();
        question.value1.clone_from(&text);
        question.text = Some(text.clone());
        report.disagreement.as_mut().unwrap()[0].subset.clone_from(&text);
        report.values.as_mut().unwrap().categories[0] = text.clone();
        check(&Html::default().render(&report).unwrap());
    }
}
