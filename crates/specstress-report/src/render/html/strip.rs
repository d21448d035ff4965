use crate::data::{SharpAnswer, SharpScenario};
use crate::render::format::shorten;
use crate::render::html::palette::Palette;
use crate::render::html::svg::Svg;

const LEFT: f64 = 8.0;
const COLUMN: f64 = 124.0;
const LINE: f64 = 19.0;
const NAME: usize = 17;

/// Where every model stands on both values: one column per position, one line per model in it.
pub(crate) fn strip(id: &str, scenario: &SharpScenario, palette: &Palette<'_>) -> String {
    let names = scenario
        .question
        .as_ref()
        .map_or(["value 1", "value 2"], |question| {
            [&question.value1, &question.value2]
        });
    let axes: [fn(&SharpAnswer) -> Option<u8>; 2] = [
        |answer| answer.value1_position,
        |answer| answer.value2_position,
    ];
    let heights = axes.map(|position| {
        let tallest = (0..7)
            .map(|wanted| {
                let at = |answer: &&SharpAnswer| position(answer) == Some(wanted);
                scenario.answers.iter().filter(at).count()
            })
            .max()
            .unwrap_or(0);
        58.0 + LINE * tallest.max(1) as f64
    });
    let width = LEFT * 2.0 + COLUMN * 7.0;
    let description = names
        .iter()
        .zip(axes)
        .fold(String::new(), |text, (name, position)| {
            let places: Vec<String> = scenario
                .answers
                .iter()
                .filter_map(|answer| Some(format!("{} {}", answer.model.name, position(answer)?)))
                .collect();
            format!("{text}{name}: {}. ", places.join(", "))
        });
    let title = format!("Positions from 0 to 6 on {} and {}", names[0], names[1]);
    let height = heights[0] + heights[1];
    let mut svg = Svg::new(id, width, height, &title, description.trim_end());
    let mut top = 0.0;
    for ((name, position), height) in names.iter().zip(axes).zip(heights) {
        svg.text("axis", (LEFT, top + 16.0), &shorten(name, 70));
        let base = top + height - 24.0;
        svg.line("base", (LEFT, base), (width - LEFT, base));
        for place in 0..7_u8 {
            let x = LEFT + COLUMN * f64::from(place);
            if place > 0 {
                svg.line("grid", (x, top + 26.0), (x, base));
            }
            let label = match place {
                0 => "0 opposes".to_owned(),
                3 => "3 neutral".to_owned(),
                6 => "6 favours".to_owned(),
                _ => place.to_string(),
            };
            svg.text("tick mid", (x + COLUMN / 2.0, base + 15.0), &label);
            let there = scenario
                .answers
                .iter()
                .filter(|answer| position(answer) == Some(place));
            for (line, answer) in there.enumerate() {
                let y = base - 11.0 - LINE * line as f64;
                let class = palette.class(answer.model.provider.as_deref());
                let tip = format!("{}: {place}", answer.model.name);
                svg.dot(&format!("fill {class}"), (x + 10.0, y), 5.0, &tip);
                let name = shorten(&answer.model.name, NAME);
                svg.text("value small", (x + 19.0, y + 4.0), &name);
            }
        }
        top += height;
    }
    svg.finish()
}
