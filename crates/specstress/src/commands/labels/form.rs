//! The sheet as an HTML form that needs nothing else.

use std::fmt::Write as _;

use anyhow::Context;
use serde::Serialize;
use specstress_judge::Decision;
use specstress_rubric::{Position, RefusalKind};

/// The page without data. It may load nothing and send nothing; what people enter stays in the browser until they
/// export it.
const PAGE: &str = include_str!("form.html");
/// Where the data goes.
const MARK: &str = "{{data}}";

/// One answer as people see it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FormItem {
    pub(super) item: String,
    pub(super) question: String,
    pub(super) answer: String,
    pub(super) value1: String,
    /// The seven strategies; empty where there are none.
    pub(super) spectrum1: Vec<String>,
    pub(super) value2: String,
    pub(super) spectrum2: Vec<String>,
}

#[derive(Serialize)]
struct Data<'a> {
    spec_title: Option<&'a str>,
    spec: Option<&'a str>,
    decisions: Vec<&'a str>,
    positions: [&'a str; 7],
    kinds: Vec<&'a str>,
    items: &'a [FormItem],
}

pub(super) fn page(
    items: &[FormItem],
    spec_title: Option<&str>,
    spec: Option<&str>,
) -> anyhow::Result<String> {
    let data = Data {
        spec_title,
        spec,
        decisions: Decision::ALL.iter().map(|one| one.as_str()).collect(),
        positions: Position::NAMES,
        kinds: RefusalKind::ALL.iter().map(|kind| kind.as_str()).collect(),
        items,
    };
    let json = serde_json::to_string(&data).context("cannot write the form")?;
    let (before, after) = PAGE
        .split_once(MARK)
        .context("the form has no place for its data")?;
    Ok([before, &harmless(&json), after].concat())
}

/// JSON that cannot end the script element it stands in, or open another: none of these characters is outside a string.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place_in_the_page() {
        let evil = "</script><script>alert(1)</script><!-- & \u{2028} {{data}} 'q' \"q\"";
        let item = FormItem {
            item: "a".into(),
            question: evil.into(),
            answer: evil.into(),
            value1: evil.into(),
            spectrum1: vec![evil.into(); 7],
            value2: evil.into(),
            spectrum2: Vec::new(),
        };
        let page = page(&[item], Some(evil), Some(evil)).unwrap();
        let scripts = page.matches("<script").count();
        assert_eq!(scripts, PAGE.matches("<script").count());
        assert_eq!(page.matches("</script").count(), scripts);
        assert!(!page.contains("<!--") && !page.contains("alert(1)<"));
        let data = page.split_once("id=\"data\">").unwrap().1;
        let data = data.split_once("</script>").unwrap().0;
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["items"][0]["answer"], evil);
        assert_eq!(data["kinds"][6], "Complete Rejection");
        for load in ["http:", "https:", "src=", "href=", "@import", "url("] {
            assert!(!PAGE.contains(load), "{load}");
        }
    }
}
