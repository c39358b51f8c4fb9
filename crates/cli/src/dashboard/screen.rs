//! The terminal.

use super::course::Course;
use super::view::{HEIGHT, draw};
use kiln_trainer::record::EpochRecord;
use kiln_trainer::{StagePlan, StepReport};
use ratatui::backend::CrosstermBackend;
use ratatui::widgets::{Paragraph, Widget as _};
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::io::{IsTerminal as _, Stdout, stdout};
use std::time::{Duration, Instant};

/// Shortest time between two pictures.
const PAUSE: Duration = Duration::from_millis(200);

/// A part of the terminal below the lines that have been printed.
///
/// Nothing that goes wrong with it ends a run: what cannot be drawn is not drawn.
pub(crate) struct Dashboard {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    course: Course,
    drawn: Instant,
}

impl Dashboard {
    /// One on the standard output; none where that is no terminal.
    pub(crate) fn new() -> Option<Self> {
        if !stdout().is_terminal() {
            return None;
        }
        let options = TerminalOptions { viewport: Viewport::Inline(HEIGHT) };
        let terminal = Terminal::with_options(CrosstermBackend::new(stdout()), options).ok()?;
        let now = Instant::now();
        Some(Self { terminal, course: Course::new(now), drawn: now })
    }

    /// A line above.
    pub(crate) fn line(&mut self, text: &str) {
        let rows = u16::try_from(text.lines().count()).unwrap_or(u16::MAX).max(1);
        let paragraph = Paragraph::new(text);
        let _ = self.terminal.insert_before(rows, |buffer| paragraph.render(buffer.area, buffer));
        self.draw();
    }

    pub(crate) fn stage(&mut self, stage: &StagePlan) {
        self.course.stage(stage, Instant::now());
        self.draw();
    }

    pub(crate) fn step(&mut self, report: StepReport) {
        self.course.step(report, Instant::now());
        self.draw_after_a_pause();
    }

    pub(crate) fn validating(&mut self, done: usize, total: usize) {
        self.course.validating = Some((done, total));
        self.draw_after_a_pause();
    }

    pub(crate) fn epoch(&mut self, record: &EpochRecord) {
        self.course.epoch(record);
        self.draw();
    }

    /// Leaves the last picture on the screen, and the cursor below it.
    pub(crate) fn finish(&mut self) {
        self.draw();
        let area = self.terminal.get_frame().area();
        let _ = self.terminal.set_cursor_position((0, area.bottom().saturating_sub(1)));
        let _ = self.terminal.show_cursor();
        crate::output::say("");
    }

    fn draw_after_a_pause(&mut self) {
        if self.drawn.elapsed() >= PAUSE {
            self.draw();
        }
    }

    fn draw(&mut self) {
        let now = Instant::now();
        let course = &self.course;
        let _ = self.terminal.draw(|frame| draw(frame, course, now));
        self.drawn = now;
    }
}
