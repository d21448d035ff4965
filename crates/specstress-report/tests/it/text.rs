use specstress_report::{Html, Json, Markdown, Renderer, StudyReport, Text};

use crate::fixture::report;

fn compare(found: &str, expected: &str) {
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{found}");
    assert_eq!(found, expected);
}

#[test]
fn markdown_is_as_it_was_read_and_approved() {
    let found = Markdown::default().render(&report()).unwrap();
    compare(&found, include_str!("golden/report.md"));
}

#[test]
fn the_summary_is_as_it_was_read_and_approved() {
    let found = Text::default().render(&report()).unwrap();
    compare(&found, include_str!("golden/summary.txt"));
}

#[test]
fn markdown_tables_keep_their_columns() {
    let page = Markdown::default().render(&report()).unwrap();
    let mut fence: Option<String> = None;
    let mut columns = None;
    for line in page.lines() {
        if let Some(open) = &fence {
            if line == open {
                fence = None;
            }
            continue;
        }
        if line.starts_with("```") {
            fence = Some(line.trim_end_matches("text").to_owned());
            continue;
        }
        let cells = line.replace("\\|", "").matches('|').count();
        if line.starts_with('|') {
            assert_eq!(cells, *columns.get_or_insert(cells), "{line}");
        } else {
            columns = None;
        }
        assert!(!line.contains('<'), "{line}");
    }
    assert_eq!(fence, None);
}

#[test]
fn json_reads_back() {
    let report = report();
    let json = Json::default().render(&report).unwrap();
    let back: StudyReport = serde_json::from_str(&json).unwrap();
    assert_eq!(back, report);
    assert!(json.contains(
        "\"notice\": \"Simulated panel: no real model was asked. Names are fictional.\""
    ));
}

#[test]
fn no_form_lets_text_steer_a_terminal() {
    let report = report();
    let renderers: [&dyn Renderer; 4] = [
        &Html::default(),
        &Json::default(),
        &Markdown::default(),
        &Text::default(),
    ];
    for renderer in renderers {
        assert!(
            !renderer.render(&report).unwrap().contains('\u{1b}'),
            "{renderer:?}"
        );
    }
}

#[test]
fn the_banner_is_there_exactly_when_the_panel_is_simulated() {
    let mut report = report();
    let renderers: [&dyn Renderer; 4] = [
        &Html::default(),
        &Json::default(),
        &Markdown::default(),
        &Text::default(),
    ];
    for renderer in renderers {
        assert!(
            renderer
                .render(&report)
                .unwrap()
                .contains("no real model was asked")
        );
    }
    report.notice = None;
    for renderer in renderers {
        assert!(
            !renderer
                .render(&report)
                .unwrap()
                .contains("no real model was asked")
        );
    }
}

#[test]
fn equal_tables_give_equal_bytes() {
    let renderers: [&dyn Renderer; 4] = [
        &Html::default(),
        &Json::default(),
        &Markdown::default(),
        &Text::default(),
    ];
    for renderer in renderers {
        assert_eq!(
            renderer.render(&report()).unwrap(),
            renderer.render(&report()).unwrap()
        );
    }
}
