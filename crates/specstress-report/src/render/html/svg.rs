use std::fmt::{Display, Write as _};

/// An SVG drawing in the making. Colours come from the page's style sheet through classes, so that one
/// drawing serves light, dark and print; text from outside is escaped here.
#[derive(Debug)]
pub(crate) struct Svg {
    body: String,
    end: &'static str,
}

impl Svg {
    /// A drawing of `width` by `height` units. `id` must be unique on the page; `title` and `description` are
    /// read to those who cannot see it.
    pub(crate) fn new(id: &str, width: f64, height: f64, title: &str, description: &str) -> Self {
        let mut svg = Self {
            body: String::new(),
            end: "</svg>",
        };
        svg.raw(format_args!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\" \
             style=\"--w:{width}px\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
            escape(title),
            escape(description)
        ));
        svg
    }

    fn raw(&mut self, text: impl Display) {
        let _ = write!(self.body, "{text}");
    }

    /// A filled rectangle with a tooltip, which may be empty.
    pub(crate) fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64), tip: &str) {
        let (x, y) = (number(at.0), number(at.1));
        let (width, height) = (number(size.0.max(0.0)), number(size.1.max(0.0)));
        self.raw(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">"
        ));
        self.tip(tip);
        self.raw("</rect>");
    }

    /// A straight line.
    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.raw(format_args!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>",
            number(from.0),
            number(from.1),
            number(to.0),
            number(to.1)
        ));
    }

    /// A dot with a tooltip.
    pub(crate) fn dot(&mut self, class: &str, at: (f64, f64), radius: f64, tip: &str) {
        self.raw(format_args!(
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\">",
            number(at.0),
            number(at.1),
            number(radius)
        ));
        self.tip(tip);
        self.raw("</circle>");
    }

    /// A line of text; the class sets its anchor.
    pub(crate) fn text(&mut self, class: &str, at: (f64, f64), text: &str) {
        self.raw(format_args!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\">{}</text>",
            number(at.0),
            number(at.1),
            escape(text)
        ));
    }

    fn tip(&mut self, tip: &str) {
        if !tip.is_empty() {
            self.raw(format_args!("<title>{}</title>", escape(tip)));
        }
    }

    pub(crate) fn finish(mut self) -> String {
        self.body.push_str(self.end);
        self.body
    }
}

/// One decimal is a tenth of a pixel; a shorter number makes a smaller page.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text for an element or an attribute in double quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}

/// A round axis end at or above `top` and the step between its ticks, at most six of them.
pub(crate) fn axis(top: f64) -> (f64, f64) {
    let top = if top > 0.0 { top } else { 1.0 };
    let mut unit = 10_f64.powf((top / 5.0).log10().floor());
    // Scaling up guards against log10 rounding the wrong way.
    loop {
        for factor in [1.0, 2.0, 2.5, 5.0] {
            let step = unit * factor;
            if step * 5.0 >= top {
                return ((top / step).ceil() * step, step);
            }
        }
        unit *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_everywhere() {
        let mut svg = Svg::new("a", 10.0, 10.0, "<b>", "\"&");
        svg.text("t", (0.0, 0.0), "</text><script>");
        svg.dot("d", (1.0, 2.25), 3.0, "a' < b");
        assert_eq!(
            svg.finish(),
            "<svg viewBox=\"0 0 10 10\" role=\"img\" aria-labelledby=\"a-t a-d\" style=\"--w:10px\">\
             <title id=\"a-t\">&lt;b&gt;</title><desc id=\"a-d\">&quot;&amp;</desc>\
             <text class=\"t\" x=\"0\" y=\"0\">&lt;/text&gt;&lt;script&gt;</text>\
             <circle class=\"d\" cx=\"1\" cy=\"2.2\" r=\"3\"><title>a&#39; &lt; b</title></circle></svg>"
        );
    }

    #[test]
    fn axes_end_at_or_above_the_data() {
        for (top, end, step) in [
            (0.0, 1.0, 0.2),
            (7.0, 8.0, 2.0),
            (10.0, 10.0, 2.0),
            (12.0, 12.5, 2.5),
            (430.0, 500.0, 100.0),
            (0.494, 0.5, 0.1),
        ] {
            let found = axis(top);
            assert!(
                (found.0 - end).abs() < 1e-9 && (found.1 - step).abs() < 1e-9,
                "{top}: {found:?}"
            );
        }
    }
}
