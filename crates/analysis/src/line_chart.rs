//! A line chart over epochs as SVG.

use crate::axis::{Axis, epoch_ticks};
use crate::html::{escape, put, shorten};
use crate::summary::Stage;

const LEFT: f64 = 56.0;
const RIGHT: f64 = 132.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 40.0;

/// Distance between two labels at the ends of lines.
const LABEL: f64 = 15.0;

/// With more epochs than this, dots would run into each other.
const DOTS: usize = 60;

/// One line, with a value for each epoch.
pub(crate) struct Line {
    /// What the label at its end says.
    pub(crate) label: &'static str,
    /// The CSS class that colours it.
    pub(crate) class: &'static str,
    /// As the axis has them; a value that is not finite leaves a hole.
    pub(crate) values: Vec<f64>,
    /// As a reader wants them.
    pub(crate) texts: Vec<String>,
}

/// A chart; all lines have as many values as there are `epochs`.
pub(crate) struct Chart<'a> {
    /// For readers who cannot see it.
    pub(crate) description: &'a str,
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// `None` when no value is finite.
    pub(crate) axis: Option<Axis>,
    /// Writes a tick of `axis`.
    pub(crate) tick: fn(f64, &Axis) -> String,
    pub(crate) lines: Vec<Line>,
    /// What the tooltip of each epoch begins with.
    pub(crate) epochs: &'a [String],
    pub(crate) stages: &'a [Stage<'a>],
    /// The epoch and line that get a ring.
    pub(crate) mark: Option<(usize, usize)>,
}

impl Chart<'_> {
    pub(crate) fn to_svg(&self) -> String {
        let mut out = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">",
            self.width,
            self.height,
            escape(self.description)
        );
        self.draw_stages(&mut out);
        if let Some(axis) = &self.axis {
            self.draw_axes(axis, &mut out);
            for line in &self.lines {
                self.draw_line(line, axis, &mut out);
            }
            self.draw_mark(axis, &mut out);
            self.draw_labels(axis, &mut out);
        } else {
            put!(
                out,
                "<text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">no finite values</text>",
                self.width / 2.0,
                self.height / 2.0
            );
        }
        self.draw_tooltips(&mut out);
        out.push_str("</svg>");
        out
    }

    fn bottom(&self) -> f64 {
        self.height - BOTTOM
    }

    fn right(&self) -> f64 {
        self.width - RIGHT
    }

    /// The middle of the epoch with this index; each epoch has a column of its own.
    fn x(&self, index: f64) -> f64 {
        LEFT + (index + 0.5) / (self.epochs.len().max(1) as f64) * (self.right() - LEFT)
    }

    fn y(&self, axis: &Axis, value: f64) -> f64 {
        axis.place(value, self.bottom(), TOP)
    }

    fn draw_stages(&self, out: &mut String) {
        if self.stages.len() < 2 {
            return;
        }
        for (number, stage) in self.stages.iter().enumerate() {
            let left = self.x(stage.start as f64 - 0.5);
            let width = self.x((stage.start + stage.len) as f64 - 0.5) - left;
            if number > 0 {
                put!(
                    out,
                    "<line class=\"boundary\" x1=\"{left:.1}\" x2=\"{left:.1}\" y1=\"8\" y2=\"{:.1}\"/>",
                    self.bottom()
                );
            }
            // About seven units for a character; a name is left out rather than cut to nothing.
            let room = (1..=24).take_while(|count| f64::from(*count) * 7.0 < width - 8.0).count();
            if room >= 3 {
                put!(
                    out,
                    "<text class=\"stage\" x=\"{:.1}\" y=\"17\">{}</text>",
                    left + 6.0,
                    escape(&shorten(stage.name, room))
                );
            }
        }
    }

    fn draw_axes(&self, axis: &Axis, out: &mut String) {
        for &tick in &axis.ticks {
            let y = self.y(axis, tick);
            put!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"tick\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                self.right(),
                LEFT - 8.0,
                y + 4.0,
                (self.tick)(tick, axis)
            );
        }
        let bottom = self.bottom();
        put!(
            out,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{bottom:.1}\" y2=\"{bottom:.1}\"/>",
            self.right()
        );
        for epoch in epoch_ticks(self.epochs.len(), 12) {
            put!(
                out,
                "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{epoch}</text>",
                self.x(epoch as f64 - 1.0),
                bottom + 16.0
            );
        }
        put!(
            out,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            f64::midpoint(LEFT, self.right()),
            bottom + 33.0,
            if self.stages.len() > 1 { "epoch of the run" } else { "epoch" }
        );
    }

    fn draw_line(&self, line: &Line, axis: &Axis, out: &mut String) {
        let mut path = String::new();
        let mut dots = String::new();
        for (index, &value) in line.values.iter().enumerate() {
            if !value.is_finite() {
                continue;
            }
            // A stage may start from an earlier checkpoint: its line is not joined to the last.
            let joined = |other: usize| {
                line.values.get(other).is_some_and(|value| value.is_finite())
                    && !self.begins_stage(index.max(other))
            };
            let before = index.checked_sub(1).is_some_and(joined);
            let (x, y) = (self.x(index as f64), self.y(axis, value));
            put!(path, "{}{x:.1} {y:.1}", if before { 'L' } else { 'M' });
            if self.epochs.len() <= DOTS || !(before || joined(index + 1)) {
                put!(
                    dots,
                    "<circle class=\"{}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.4\"/>",
                    line.class
                );
            }
        }
        if !path.is_empty() {
            put!(out, "<path class=\"{}\" d=\"{path}\"/>{dots}", line.class);
        }
    }

    fn begins_stage(&self, index: usize) -> bool {
        self.stages.iter().any(|stage| stage.start == index)
    }

    fn draw_mark(&self, axis: &Axis, out: &mut String) {
        let Some((index, line)) = self.mark else { return };
        let Some(line) = self.lines.get(line) else { return };
        if let Some(&value) = line.values.get(index).filter(|value| value.is_finite()) {
            put!(
                out,
                "<circle class=\"ring {}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"6\"/>",
                line.class,
                self.x(index as f64),
                self.y(axis, value)
            );
        }
    }

    /// Names each line at its end, with its last value, without overlaps.
    fn draw_labels(&self, axis: &Axis, out: &mut String) {
        let mut labels: Vec<(f64, f64, &Line, &str)> = Vec::new();
        for line in &self.lines {
            let last = line.values.iter().rposition(|value| value.is_finite());
            if let Some(last) = last {
                let y = self.y(axis, line.values[last]);
                labels.push((y, y, line, line.texts.get(last).map_or("", String::as_str)));
            }
        }
        labels.sort_by(|a, b| a.0.total_cmp(&b.0));
        spread(&mut labels, TOP, self.bottom(), |label| &mut label.0);
        let x = self.right() + 12.0;
        for (y, end, line, text) in labels {
            put!(
                out,
                "<path class=\"leader {class}\" d=\"M{:.1} {end:.1}L{:.1} {y:.1}\"/>\
                 <text class=\"label {class}\" x=\"{x:.1}\" y=\"{:.1}\">{} <tspan>{}</tspan></text>",
                self.right() + 1.0,
                x - 3.0,
                y + 4.0,
                escape(line.label),
                escape(text),
                class = line.class,
            );
        }
    }

    /// A column for each epoch that shows its numbers when pointed at.
    fn draw_tooltips(&self, out: &mut String) {
        for (index, epoch) in self.epochs.iter().enumerate() {
            let left = self.x(index as f64 - 0.5);
            let middle = self.x(index as f64);
            let mut text = epoch.clone();
            for line in &self.lines {
                let value = line.texts.get(index).map_or("", String::as_str);
                put!(text, "\n{} {value}", line.label);
            }
            put!(
                out,
                "<g class=\"epoch\"><title>{}</title>\
                 <line x1=\"{middle:.1}\" x2=\"{middle:.1}\" y1=\"{TOP}\" y2=\"{bottom:.1}\"/>\
                 <rect x=\"{left:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{:.1}\"/></g>",
                escape(&text),
                2.0 * (middle - left),
                self.bottom() - TOP,
                bottom = self.bottom(),
            );
        }
    }
}

/// Moves sorted places apart to `LABEL` and keeps them between `top` and `bottom`.
fn spread<T>(items: &mut [T], top: f64, bottom: f64, place: impl Fn(&mut T) -> &mut f64) {
    let mut lowest = top;
    for item in items.iter_mut() {
        let y = place(item);
        *y = y.max(lowest);
        lowest = *y + LABEL;
    }
    let mut highest = bottom;
    for item in items.iter_mut().rev() {
        let y = place(item);
        *y = y.min(highest);
        highest = *y - LABEL;
    }
}

#[cfg(test)]
mod tests {
    use super::{LABEL, spread};

    #[test]
    fn labels_keep_their_distance() {
        for mut places in [[10.0, 11.0, 12.0], [95.0, 99.0, 100.0], [20.0, 50.0, 80.0]] {
            spread(&mut places, 0.0, 100.0, |place| place);
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= LABEL), "{places:?}");
            assert!(places.iter().all(|place| (0.0..=100.0).contains(place)), "{places:?}");
        }
    }
}
