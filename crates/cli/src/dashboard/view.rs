//! The picture.

use super::course::{Course, Point};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style, Stylize as _};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, Chart, Dataset, Gauge, GraphType, Paragraph};
use std::time::{Duration, Instant};

/// Rows.
pub(super) const HEIGHT: u16 = 16;

/// Colours that are told apart by most colour-blind people, on dark and on light ground.
const TRAIN: Color = Color::Blue;
const VAL: Color = Color::Yellow;

/// Draws the course of a run as it is at `now`.
pub(super) fn draw(frame: &mut Frame<'_>, course: &Course, now: Instant) {
    let [head, bar, curves] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Min(0)])
            .areas(frame.area());
    frame.render_widget(Paragraph::new(head_line(course, now)), head);
    frame.render_widget(progress(course), bar);
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(curves);
    curve(frame, left, "loss", [&course.train_loss, &course.val_loss]);
    curve(frame, right, "top-1, %", [&course.train_top1, &course.val_top1]);
}

fn head_line(course: &Course, now: Instant) -> Line<'static> {
    let Some(last) = &course.last else { return Line::from("waiting for the first step") };
    let mut text = format!(
        "stage {}  epoch {}/{}  step {}/{}  loss {:.3}  lr {:.2e}",
        course.stage,
        last.epoch,
        course.epochs,
        course.done(),
        course.steps,
        last.loss,
        last.lr,
    );
    if let Some(rate) = course.images_per_second(now) {
        text += &format_args!("  {rate:.0} images/s").to_string();
    }
    if let Some(left) = course.left(now) {
        text += &format_args!("  {} left", in_words(left)).to_string();
    }
    Line::from(text.bold())
}

fn progress(course: &Course) -> Gauge<'static> {
    let (done, total, what) = match course.validating {
        Some((done, total)) => (done as u64, total as u64, "validating"),
        None => (course.done(), course.steps, "stage"),
    };
    let ratio = (done as f64 / total.max(1) as f64).min(1.0);
    Gauge::default()
        .ratio(ratio)
        .label(format!("{what} {:.0} %", 100.0 * ratio))
        .gauge_style(Style::default().fg(TRAIN))
}

/// Training and validation over epochs.
fn curve(frame: &mut Frame<'_>, area: Rect, title: &str, curves: [&[Point]; 2]) {
    let points = || curves.into_iter().flatten();
    let last = points().map(|(x, _)| *x).fold(2.0, f64::max);
    let low = points().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
    let high = points().map(|(_, y)| *y).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) =
        if low < high { (low, high) } else { (low.min(1e9) - 0.5, low.min(1e9) + 0.5) };
    let datasets =
        [("train", TRAIN, curves[0]), ("val", VAL, curves[1])].map(|(name, color, points)| {
            Dataset::default()
                .name(name)
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(Style::default().fg(color))
                .data(points)
        });
    // In the title, as there is no room for a legend.
    let title = vec![format!(" {title}: ").into(), "train ".fg(TRAIN), "val ".fg(VAL)];
    let block = Block::bordered().title(Line::from(title));
    if points().next().is_none() {
        frame.render_widget(Paragraph::new("after the first epoch").block(block), area);
        return;
    }
    let x =
        Axis::default().bounds([1.0, last]).labels(["1".to_owned(), format!("epoch {last:.0}")]);
    let y = Axis::default().bounds([low, high]).labels([format!("{low:.3}"), format!("{high:.3}")]);
    let chart = Chart::new(datasets.into()).block(block).x_axis(x).y_axis(y);
    frame.render_widget(chart, area);
}

fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds:02} s"),
        (hours, minutes, _) => format!("{hours} h {minutes:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Course, HEIGHT, draw};
    use kiln_trainer::StepReport;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use std::time::{Duration, Instant};

    #[test]
    fn a_dashboard() {
        let began = Instant::now();
        let mut course = Course::new(began);
        course.begin("train", (8, 80, 10), began);
        let report = StepReport { epoch: 1, step: 1, steps: 10, images: 32, loss: 2.3, lr: 1e-3 };
        course.step(report, began);
        for epoch in 1..=4 {
            let x = f64::from(epoch);
            course.train_loss.push((x, 2.5 - 0.4 * x));
            course.val_loss.push((x, 2.2 - 0.2 * x));
            course.train_top1.push((x, 20.0 * x));
            course.val_top1.push((x, 15.0 * x));
        }
        course.step(StepReport { epoch: 5, ..report }, began);
        let mut terminal = Terminal::new(TestBackend::new(100, HEIGHT)).unwrap();
        let now = began + Duration::from_secs(80);
        terminal.draw(|frame| draw(frame, &course, now)).unwrap();
        insta::assert_snapshot!(terminal.backend());
    }
}
