use crate::data::{
    DisagreementBins, KeptAtDistance, ModelOutliers, ModelRefusals, Rate, SubsetDisagreement,
};
use crate::render::format::{bin, fraction, interval, percent, shorten, thousands};
use crate::render::html::palette::Palette;
use crate::render::html::svg::{Svg, axis};

/// Characters that fit in front of a horizontal bar.
const NAME: usize = 22;

/// Scenarios by disagreement, with a line at the threshold.
pub(crate) fn histogram(id: &str, subset: &SubsetDisagreement, threshold: f64) -> String {
    let (left, top, width, height) = (44.0, 26.0, 400.0, 150.0);
    let description = format!(
        "{} of the scenarios with a disagreement reach {threshold}: {}.",
        percent(subset.high.share),
        fraction(&subset.high)
    );
    let title = format!("Scenarios by disagreement of {}", subset.subset);
    let mut svg = Svg::new(id, 460.0, 216.0, &title, &description);
    let last = subset.histogram.last().map_or(3.0, |bin| bin.high);
    let most = subset
        .histogram
        .iter()
        .map(|bin| bin.count)
        .max()
        .unwrap_or(0);
    let (end, step) = axis((most as f64).max(5.0));
    let x = |value: f64| left + value / last * width;
    let y = |count: f64| top + height - count / end * height;

    let mut tick = 0.0;
    while tick <= end + step / 2.0 {
        svg.line("grid", (left, y(tick)), (left + width, y(tick)));
        svg.text(
            "tick end",
            (left - 6.0, y(tick) + 4.0),
            &format!("{tick:.0}"),
        );
        tick += step;
    }
    for row in &subset.histogram {
        let class = if row.low >= threshold {
            "bar high"
        } else {
            "bar"
        };
        let tip = format!(
            "D in {}: {} scenarios",
            bin(row.low, row.high, row.closed),
            thousands(row.count)
        );
        let (from, to) = (x(row.low) + 1.0, x(row.high) - 1.0);
        let height = row.count as f64 / end * height;
        svg.rect(
            class,
            (from, y(row.count as f64)),
            (to - from, height),
            &tip,
        );
    }
    let mut edge = 0.0;
    while edge <= last {
        svg.text(
            "tick mid",
            (x(edge), top + height + 16.0),
            &format!("{edge}"),
        );
        edge += 0.5;
    }
    svg.text(
        "tick mid",
        (left + width / 2.0, top + height + 34.0),
        "disagreement D",
    );
    if threshold <= last {
        svg.line(
            "mark",
            (x(threshold), top - 8.0),
            (x(threshold), top + height),
        );
        let label = format!("high: {}", percent(subset.high.share));
        svg.text("label", (x(threshold) + 5.0, top - 2.0), &label);
    }
    svg.finish()
}

/// Questions kept against distance; nothing to draw for less than two points.
pub(crate) fn thinning(curve: &[KeptAtDistance]) -> Option<String> {
    let [first, .., last] = curve else {
        return None;
    };
    let (left, top, width, height) = (56.0, 14.0, 400.0, 160.0);
    let description = format!(
        "{} questions at distance {:.2}, {} at {:.2}.",
        thousands(first.kept),
        first.distance,
        thousands(last.kept),
        last.distance
    );
    let title = "Questions kept for diversity, by distance";
    let mut svg = Svg::new("thinning", 472.0, 220.0, title, &description);
    let (end, step) = axis((last.kept as f64).max(5.0));
    let (far, far_step) = axis(first.distance);
    let x = |value: f64| left + value / far * width;
    let y = |count: f64| top + height - count / end * height;
    let mut tick = 0.0;
    while tick <= end + step / 2.0 {
        svg.line("grid", (left, y(tick)), (left + width, y(tick)));
        svg.text(
            "tick end",
            (left - 6.0, y(tick) + 4.0),
            &format!("{tick:.0}"),
        );
        tick += step;
    }
    let mut edge = 0.0;
    while edge <= far + far_step / 2.0 {
        svg.text(
            "tick mid",
            (x(edge), top + height + 16.0),
            &format!("{edge:.2}"),
        );
        edge += far_step;
    }
    svg.text(
        "tick mid",
        (left + width / 2.0, top + height + 34.0),
        "distance",
    );
    for pair in curve.windows(2) {
        let at = |point: &KeptAtDistance| (x(point.distance), y(point.kept as f64));
        svg.line("base", at(&pair[0]), at(&pair[1]));
    }
    for point in curve {
        let tip = format!(
            "within {:.3}: {} kept",
            point.distance,
            thousands(point.kept)
        );
        let at = (x(point.distance), y(point.kept as f64));
        svg.dot("bar", at, 3.0, &tip);
    }
    Some(svg.finish())
}

/// How often each model stands alone.
pub(crate) fn outliers(rows: &[ModelOutliers], palette: &Palette<'_>) -> String {
    let (left, width, step) = (170.0, 400.0, 26.0);
    let height = step * rows.len() as f64 + 8.0;
    let description = rows.first().map_or_else(String::new, |row| {
        format!(
            "Most often: {}, {}.",
            row.model.name,
            fraction(&row.flagged)
        )
    });
    let mut svg = Svg::new(
        "outliers",
        700.0,
        height,
        "Scenarios on which a model stands alone",
        &description,
    );
    let most = rows
        .iter()
        .map(|row| row.flagged.count)
        .max()
        .unwrap_or(0)
        .max(1);
    for (place, row) in rows.iter().enumerate() {
        let y = step * place as f64 + 4.0;
        let length = row.flagged.count as f64 / most as f64 * width;
        let tip = format!("{}: {}", row.model.name, fraction(&row.flagged));
        svg.text(
            "name end",
            (left - 10.0, y + 14.0),
            &shorten(&row.model.name, NAME),
        );
        let class = format!("fill {}", palette.class(row.model.provider.as_deref()));
        svg.rect(&class, (left, y + 1.0), (length.max(1.0), step - 8.0), &tip);
        let label = format!(
            "{} ({})",
            thousands(row.flagged.count),
            percent(row.flagged.share)
        );
        svg.text("value", (left + length + 8.0, y + 14.0), &label);
    }
    svg.finish()
}

/// How each model's answers divide into the kinds of refusal.
pub(crate) fn refusals(rows: &[ModelRefusals]) -> String {
    let (left, width, step, head) = (170.0, 430.0, 26.0, 22.0);
    let height = head + step * rows.len() as f64 + 4.0;
    let mut svg = Svg::new(
        "refusals",
        700.0,
        height,
        "Kinds of answer per model",
        "From full compliance on the left to complete rejection on the right; the number is the share of refusals.",
    );
    svg.text("tick end", (left + width + 86.0, head - 8.0), "refused");
    for (place, row) in rows.iter().enumerate() {
        let y = head + step * place as f64;
        svg.text(
            "name end",
            (left - 10.0, y + 14.0),
            &shorten(&row.model.name, NAME),
        );
        let mut x = left;
        for (kind, group) in row.kinds.iter().enumerate() {
            let length = group.rate.share.unwrap_or(0.0) * width;
            let tip = format!(
                "{}: {}, {}",
                row.model.name,
                group.group,
                fraction(&group.rate)
            );
            if length > 0.0 {
                svg.rect(
                    &format!("kind k{}", kind.min(6)),
                    (x, y + 1.0),
                    (length, step - 8.0),
                    &tip,
                );
            }
            x += length;
        }
        svg.text(
            "value end",
            (left + width + 86.0, y + 14.0),
            &percent(row.refused.share),
        );
    }
    svg.finish()
}

/// Frequent non-compliance by disagreement, two series with their intervals.
pub(crate) fn compliance(bins: &DisagreementBins) -> String {
    let (left, top, width, height) = (52.0, 16.0, 560.0, 230.0);
    let description = bins.bins.iter().fold(String::new(), |text, row| {
        format!(
            "{text}D in {}: {} by majority, {} by any judge. ",
            bin(row.low, row.high, row.closed),
            percent(row.majority.share),
            percent(row.any.share)
        )
    });
    let mut svg = Svg::new(
        "compliance",
        630.0,
        316.0,
        "All answers problematic, by disagreement of the judged models",
        description.trim_end(),
    );
    let highest = bins
        .bins
        .iter()
        .flat_map(|row| [&row.majority, &row.any])
        // An empty or tiny bin has an interval up to 1, which would flatten the rest.
        .filter_map(|rate| if rate.of >= 20 { rate.high } else { rate.share })
        .fold(0.0_f64, f64::max);
    let (end, step) = axis((highest * 100.0).clamp(5.0, 100.0));
    let y = |share: f64| top + height - (share * 100.0).min(end) / end * height;
    let mut tick = 0.0;
    while tick <= end + step / 2.0 {
        svg.line(
            "grid",
            (left, y(tick / 100.0)),
            (left + width, y(tick / 100.0)),
        );
        svg.text(
            "tick end",
            (left - 8.0, y(tick / 100.0) + 4.0),
            &format!("{tick}%"),
        );
        tick += step;
    }
    let slot = width / bins.bins.len().max(1) as f64;
    for (place, row) in bins.bins.iter().enumerate() {
        let centre = left + slot * (place as f64 + 0.5);
        point(
            &mut svg,
            "s0",
            &row.majority,
            (centre - 8.0, "end", -8.0),
            y,
        );
        point(&mut svg, "s1", &row.any, (centre + 8.0, "", 8.0), y);
        let (name_y, count_y) = (top + height + 20.0, top + height + 37.0);
        svg.text(
            "name mid",
            (centre, name_y),
            &bin(row.low, row.high, row.closed),
        );
        svg.text(
            "tick mid",
            (centre, count_y),
            &format!("n = {}", thousands(row.majority.of)),
        );
    }
    let middle = left + width / 2.0;
    svg.text(
        "tick mid",
        (middle, top + height + 58.0),
        "disagreement D of the judged models",
    );
    svg.finish()
}

/// A rate with its interval. The label stands on the outer side, away from the other series: `place` is where
/// the point is, how its label is anchored, and how far off it stands.
fn point(svg: &mut Svg, class: &str, rate: &Rate, place: (f64, &str, f64), y: impl Fn(f64) -> f64) {
    let (x, anchor, shift) = place;
    let (Some(share), Some(low), Some(high)) = (rate.share, rate.low, rate.high) else {
        return;
    };
    let whisker = format!("whisker {class}");
    svg.line(&whisker, (x, y(low)), (x, y(high)));
    for end in [low, high] {
        svg.line(&whisker, (x - 4.0, y(end)), (x + 4.0, y(end)));
    }
    let tip = format!(
        "{} ({}), {}",
        percent(rate.share),
        interval(rate),
        fraction(rate)
    );
    svg.dot(&format!("point {class}"), (x, y(share)), 5.0, &tip);
    let class = format!("value small {anchor}");
    svg.text(
        class.trim_end(),
        (x + shift, y(share) + 4.0),
        &percent(rate.share),
    );
}
