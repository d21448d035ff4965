//! The form of a label sheet in a browser.

use specstress_dataset::rows::PeopleLabelRow;
use specstress_dataset::{TableDir, TextTable};
use specstress_judge::Decision;
use specstress_rubric::RefusalKind;

use crate::labels::{demo, drawn, import};
use crate::support::done;

/// A browser that runs without a window; says so where there is none.
fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names.into_iter().find(|name| {
        std::process::Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        eprintln!("skipped: no browser among {names:?}");
    }
    found
}

/// Fills in the form as a person does, by clicks and typing, and writes the exported file into the page.
const FILL: &str = r#"<script>
const exported = [];
URL.createObjectURL = blob => { exported.push(blob); return "blob:none"; };
const pick = (name, at) => document.querySelectorAll(`input[name=${name}]`)[at].click();
document.getElementById("export").click();
const refused = document.getElementById("message").textContent;
document.getElementById("rater").value = "=Eve, \"the\" rater";
document.getElementById("rater").dispatchEvent(new Event("input"));
pick("decision", 1); pick("value1_position", 6); pick("value2_position", 0); pick("refusal_kind", 6);
document.getElementById("notes").value = "two\nlines, \"quoted\"";
document.getElementById("notes").dispatchEvent(new Event("input"));
document.getElementById("next").click();
pick("decision", 0);
document.getElementById("open").click();
pick("decision", 2);
document.getElementById("clear").click();
document.getElementById("export").click();
exported[0].text().then(text => {
  document.body.innerHTML = "<pre id=refused></pre><pre id=out></pre>";
  document.getElementById("refused").textContent = refused;
  document.getElementById("out").textContent = btoa(unescape(encodeURIComponent(text)));
});
</script>"#;

fn unbase64(text: &str) -> String {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for digit in text.chars().filter_map(|c| DIGITS.find(c)) {
        bits = (bits << 6 | u32::try_from(digit).unwrap()) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff).unwrap());
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_form_is_filled_in_by_a_browser_and_its_export_is_imported() {
    let Some(browser) = browser() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    demo(folder, "10");
    done(folder, &["sample", "--for-labels", "12", "run"]);
    let page = std::fs::read_to_string(folder.join("run/labels/sheet.html")).unwrap();
    std::fs::write(
        folder.join("form.html"),
        page.replace("</body>", &format!("{FILL}</body>")),
    )
    .unwrap();
    let output = std::process::Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=5000",
            "--dump-dom",
        ])
        .arg(format!(
            "--user-data-dir={}",
            folder.join("profile").display()
        ))
        .arg(format!("file://{}", folder.join("form.html").display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let inside = |id: &str| {
        let start = dom
            .split_once(&format!("<pre id=\"{id}\">"))
            .unwrap_or_else(|| panic!("no {id}: {dom}"))
            .1;
        start.split_once("</pre>").unwrap().0.to_owned()
    };
    assert_eq!(inside("refused"), "Enter your name first.");
    std::fs::write(folder.join("eve.csv"), unbase64(&inside("out"))).unwrap();

    let table = TextTable::read(folder.join("eve.csv")).unwrap();
    let rows = drawn(&folder.join("run"));
    assert_eq!(table.len(), rows.len());
    let column = |name| table.column(name).unwrap();
    assert_eq!(table.cell(0, column("decision")), Some("non-compliant"));
    assert_eq!(
        table.cell(0, column("notes")),
        Some("two\nlines, \"quoted\"")
    );
    assert_eq!(table.cell(0, column("rater")), Some("'=Eve, \"the\" rater"));
    let stored = import(folder, &["eve.csv"]);
    assert_eq!(
        (&stored["sheets"][0]["rows"], &stored["sheets"][0]["filled"]),
        (&12.into(), &2.into())
    );
    let tables = TableDir::new(folder.join("run/tables"));
    let labels: Vec<PeopleLabelRow> = tables.rows().unwrap().map(Result::unwrap).collect();
    let seen: Vec<_> = labels
        .iter()
        .map(|l| {
            (
                l.item.as_str(),
                l.decision.map(Decision::as_str),
                l.value1_position,
                l.value2_position,
                l.refusal_kind.map(RefusalKind::as_str),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (
                rows[0].item.as_str(),
                Some("non-compliant"),
                Some(6),
                Some(0),
                Some("Complete Rejection")
            ),
            (rows[1].item.as_str(), Some("compliant"), None, None, None),
        ]
    );
}
