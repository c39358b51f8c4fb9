//! A chart of numbers over numbers as SVG.

use crate::axis::Axis;
use crate::html::{escape, put, shorten};

/// Characters of a name in the legend.
const LONGEST: usize = 22;

const LEFT: f64 = 62.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 46.0;

const STYLE: &str = include_str!("chart.css");

/// A chart as a file of its own, with its colours.
pub fn standalone_svg(chart: &str) -> String {
    let style = format!(
        "<style>{STYLE}svg {{ background: var(--card); font-family: system-ui, sans-serif; }}</style>"
    );
    match chart.split_once('>') {
        Some((tag, rest)) => format!("{tag}>{style}{rest}\n"),
        None => chart.to_owned(),
    }
}

/// A chart with lines, and points of note on them.
pub(crate) struct XyChart<'a> {
    /// For readers who cannot see it.
    pub(crate) description: &'a str,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) x: Side<'a>,
    pub(crate) y: Side<'a>,
    pub(crate) lines: Vec<XyLine<'a>>,
    pub(crate) marks: Vec<Mark>,
}

/// One of the two axes.
pub(crate) struct Side<'a> {
    /// What it shows, with its unit.
    pub(crate) label: &'a str,
    /// `None` when there is nothing to show. Of a logarithmic axis, in decades.
    pub(crate) axis: Option<Axis>,
    /// Whether the axis is logarithmic; the values are as they are.
    pub(crate) logarithmic: bool,
    /// Writes a tick.
    pub(crate) tick: fn(f64, &Axis) -> String,
}

/// One line; a point that is not finite leaves a hole.
pub(crate) struct XyLine<'a> {
    /// In the legend; empty: not there.
    pub(crate) label: &'a str,
    /// The CSS class that colours it.
    pub(crate) class: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// A point of note.
pub(crate) struct Mark {
    pub(crate) label: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

impl Side<'_> {
    fn place(&self, value: f64, start: f64, end: f64) -> Option<f64> {
        let value = if self.logarithmic { value.log10() } else { value };
        let axis = self.axis.as_ref()?;
        value.is_finite().then(|| axis.place(value, start, end))
    }
}

impl XyChart<'_> {
    pub(crate) fn to_svg(&self) -> String {
        let mut out = format!(
            "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
            self.width,
            self.height,
            escape(self.description)
        );
        self.draw_axes(&mut out);
        for line in &self.lines {
            self.draw_line(line, &mut out);
        }
        self.draw_legend(&mut out);
        self.draw_marks(&mut out);
        out.push_str("</svg>");
        out
    }

    fn bottom(&self) -> f64 {
        self.height - BOTTOM
    }

    fn right(&self) -> f64 {
        self.width - RIGHT
    }

    fn at(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let x = self.x.place(x, LEFT, self.right())?;
        let y = self.y.place(y, self.bottom(), TOP)?;
        // What lies outside of the axis would draw over everything else.
        Some((x, y.clamp(TOP - 8.0, self.bottom() + 8.0)))
    }

    fn draw_axes(&self, out: &mut String) {
        let (bottom, right) = (self.bottom(), self.right());
        for (axis, &tick) in
            self.y.axis.iter().flat_map(|axis| axis.ticks.iter().map(move |t| (axis, t)))
        {
            let y = axis.place(tick, bottom, TOP);
            put!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                (self.y.tick)(tick, axis)
            );
        }
        for (axis, &tick) in
            self.x.axis.iter().flat_map(|axis| axis.ticks.iter().map(move |t| (axis, t)))
        {
            let x = axis.place(tick, LEFT, right);
            put!(
                out,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
                 <text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 17.0,
                (self.x.tick)(tick, axis)
            );
        }
        put!(
            out,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right:.1}\" y1=\"{bottom:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text class=\"tick\" x=\"{}\" y=\"14\" text-anchor=\"start\">{}</text>",
            f64::midpoint(LEFT, right),
            bottom + 36.0,
            escape(self.x.label),
            4.0,
            escape(self.y.label)
        );
    }

    fn draw_line(&self, line: &XyLine<'_>, out: &mut String) {
        let mut path = String::new();
        let mut pen_down = false;
        for &(x, y) in &line.points {
            let Some((x, y)) = self.at(x, y) else {
                pen_down = false;
                continue;
            };
            put!(path, "{}{x:.1} {y:.1}", if pen_down { 'L' } else { 'M' });
            if line.points.len() == 1 {
                // A line of one point has no length.
                put!(out, "<circle class=\"{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>", line.class);
            }
            pen_down = true;
        }
        if !path.is_empty() {
            put!(out, "<path class=\"{}\" d=\"{path}\"/>", line.class);
        }
    }

    fn draw_legend(&self, out: &mut String) {
        let mut right = self.right();
        for line in self.lines.iter().rev().filter(|line| !line.label.is_empty()) {
            put!(
                out,
                "<text class=\"label {}\" x=\"{right:.1}\" y=\"14\" text-anchor=\"end\">{}</text>",
                line.class,
                escape(&shorten(line.label, LONGEST))
            );
            right -= 7.0 * line.label.chars().count().min(LONGEST) as f64 + 16.0;
        }
    }

    fn draw_marks(&self, out: &mut String) {
        let mut taken: Vec<(f64, f64)> = Vec::new();
        for mark in &self.marks {
            let Some((x, y)) = self.at(mark.x, mark.y) else { continue };
            put!(out, "<circle class=\"mark\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>");
            // Labels of marks near each other stand below one another.
            let mut label_y = y - 10.0;
            while taken.iter().any(|(tx, ty)| (tx - x).abs() < 130.0 && (ty - label_y).abs() < 14.0)
            {
                label_y += 14.0;
            }
            taken.push((x, label_y));
            let (anchor, dx) =
                if x > f64::midpoint(LEFT, self.right()) { ("end", -8.0) } else { ("start", 8.0) };
            put!(
                out,
                "<text class=\"label halo\" x=\"{:.1}\" y=\"{label_y:.1}\" text-anchor=\"{anchor}\">{}</text>",
                x + dx,
                escape(&mark.label)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mark, Side, XyChart, XyLine, standalone_svg};
    use crate::axis::Axis;

    fn chart(points: Vec<(f64, f64)>) -> String {
        let tick: fn(f64, &Axis) -> String = |value, _| format!("{value}");
        let axis = Axis::covering([0.0, 10.0], 5);
        let side = |label| Side { label, axis: axis.clone(), logarithmic: false, tick };
        let chart = XyChart {
            description: "<b>",
            width: 300.0,
            height: 200.0,
            x: side("<x>"),
            y: side("y"),
            lines: vec![XyLine { label: "<script>", class: "train", points }],
            marks: vec![Mark { label: "<i>".to_owned(), x: 5.0, y: 5.0 }],
        };
        chart.to_svg()
    }

    #[test]
    fn names_are_text_and_holes_part_a_line() {
        let svg = chart(vec![(0.0, 0.0), (1.0, f64::NAN), (2.0, 2.0), (3.0, 3.0)]);
        assert!(!svg.contains("<script") && !svg.contains("<b>") && !svg.contains("<i>"), "{svg}");
        let path = svg.split("<path class=\"train\" d=\"").nth(1).unwrap();
        assert_eq!(path.split('"').next().unwrap().matches('M').count(), 2, "{svg}");
        assert!(standalone_svg(&svg).contains("<style>"));
    }

    #[test]
    fn a_single_point_is_seen_and_what_lies_outside_stays_inside() {
        assert!(chart(vec![(1.0, 1.0)]).contains("<circle class=\"train\""));
        let svg = chart(vec![(1.0, 1.0), (2.0, 1e9)]);
        let path = svg.split("<path class=\"train\" d=\"").nth(1).unwrap();
        let last = path.split('"').next().unwrap().rsplit(' ').next().unwrap();
        assert!(last.parse::<f64>().unwrap() > 0.0, "{svg}");
    }
}
