//! Shows a view in the terminal, and calls the verb of each key.

use std::path::Path;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event as Input, KeyCode, KeyEventKind};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};
use ratatui::{DefaultTerminal, Frame};
use refgate_gate::Exit;

use crate::command::{lesson, time};
use crate::journal;
use crate::output::{Failure, VerbResult, done};
use crate::view::{Row, View};
use crate::world::World;

/// Colours of the lanes. The column of a lane also identifies it, without colour.
const COLOURS: [Color; 5] = [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Gray];

const KEYS: &str = "t: advance one day   u: undo   r: redo   h: hint   q: quit";

/// Shows the world until the user quits.
pub(crate) fn run(at: &Path) -> VerbResult {
    let root = World::find(at)?.root;
    let no_terminal = |error: std::io::Error| {
        let message = format!("cannot use the terminal: {error}\nhint: run `refgate-sim serve`");
        Failure::new(Exit::BadInput, message)
    };
    let mut terminal = ratatui::try_init().map_err(no_terminal)?;
    let ended = watch(&mut terminal, &root);
    ratatui::restore();
    ended?;
    Ok(done(Exit::Accepted))
}

fn watch(terminal: &mut DefaultTerminal, root: &Path) -> Result<(), Failure> {
    let mut told = KEYS.to_string();
    let watched_files = journal::watched_files(root);
    let mut seen = None;
    let mut view = Ok(View::default());
    loop {
        let now = journal::modification_times(&watched_files);
        // A view judges the last push on many days, so it is built only after a change.
        if seen.as_ref() != Some(&now) {
            view = World::find(root).and_then(|world| View::of(&world));
            seen = Some(now);
        }
        terminal.draw(|frame| match &view {
            Ok(view) => draw(frame, view, &told),
            Err(failure) => {
                let text = format!("{}\n\n{KEYS}", failure.message);
                frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }), frame.area());
            }
        })?;
        if !event::poll(Duration::from_millis(500))? {
            continue;
        }
        let Input::Key(key) = event::read()? else { continue };
        if key.kind != KeyEventKind::Press {
            continue;
        }
        let acted = match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Ok(()),
            KeyCode::Char('t') => time::advance_clock(root, "1d").map(|said| said.join("\n")),
            KeyCode::Char('u') => time::restore_earlier(root, 1),
            KeyCode::Char('r') => time::restore_later(root),
            KeyCode::Char('h') => {
                World::find(root).and_then(|mut world| lesson::next_hint(&mut world))
            }
            _ => continue,
        };
        let text = acted.unwrap_or_else(|failure| failure.message);
        told = format!("{text}\n{KEYS}");
    }
}

fn draw(frame: &mut Frame<'_>, view: &View, told: &str) {
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)])
            .areas(frame.area());
    let title = format!(" {} ", view.title);
    let graph = Paragraph::new(graph(view)).block(Block::bordered().title(title));
    frame.render_widget(graph, left);
    let [goal, calendar, verdict, keys] = Layout::vertical([
        Constraint::Percentage(25),
        Constraint::Percentage(20),
        Constraint::Percentage(30),
        Constraint::Percentage(25),
    ])
    .areas(right);
    let missing = if view.missing.is_empty() {
        "The goal is reached.".to_string()
    } else {
        format!("Still missing:\n- {}", view.missing.join("\n- "))
    };
    boxed(frame, goal, " goal ", missing);
    boxed(frame, calendar, &format!(" {} ", view.clock), view.calendar.join("\n"));
    let mut last = view.verdict.clone().unwrap_or_else(|| "no push yet".to_string());
    for line in view.describe_strip() {
        last += &format!("\n{line}");
    }
    boxed(frame, verdict, " last verdict ", last);
    boxed(frame, keys, " keys ", told.to_string());
}

fn boxed(frame: &mut Frame<'_>, area: ratatui::layout::Rect, title: &str, text: String) {
    let block = Block::bordered().title(title.to_string());
    frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: false }).block(block), area);
}

/// One line for each commit: a mark in its lane, then its labels and its subject.
fn graph(view: &View) -> Vec<Line<'static>> {
    let colour = |lane: usize| COLOURS.get(lane % COLOURS.len()).copied().unwrap_or(Color::Gray);
    let names = view.lanes.iter().enumerate().map(|(lane, name)| {
        let short: String = name.chars().take(6).collect();
        Span::styled(
            format!("{short:<7}"),
            Style::new().fg(colour(lane)).add_modifier(Modifier::BOLD),
        )
    });
    let mut lines = vec![Line::from(names.collect::<Vec<_>>())];
    for row in &view.rows {
        let mut spans: Vec<Span<'static>> = (0..view.lanes.len())
            .map(|lane| Span::styled(mark(row, lane), Style::new().fg(colour(lane))))
            .collect();
        if !row.labels.is_empty() {
            let labels = format!("[{}] ", row.labels.join(", "));
            spans.push(Span::styled(labels, Style::new().add_modifier(Modifier::BOLD)));
        }
        spans.push(Span::raw(refgate_report::clean(&row.subject)));
        lines.push(Line::from(spans));
    }
    lines
}

fn mark(row: &Row, lane: usize) -> String {
    let shown = match (row.lane == lane, row.parents.len() > 1) {
        (true, true) => "◆",
        (true, false) => "●",
        (false, _) => "│",
    };
    format!("{shown:<7}")
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    #[test]
    fn draws_a_view_in_a_terminal() {
        let row = |id: &str, lane, parents: &[usize], labels: &[&str]| Row {
            id: id.to_string(),
            author: "ada".to_string(),
            subject: format!("change {id}"),
            lane,
            parents: parents.to_vec(),
            labels: labels.iter().map(ToString::to_string).collect(),
        };
        let view = View {
            title: "A lesson".to_string(),
            clock: "2026-03-02 08:00 UTC".to_string(),
            lanes: ["dev", "stg", "main"].map(String::from).to_vec(),
            rows: vec![row("2", 0, &[1], &["dev"]), row("1", 2, &[], &["main", "stg"])],
            missing: vec!["dev lacks \"x\"".to_string()],
            ..View::default()
        };
        let mut terminal = Terminal::new(TestBackend::new(100, 24)).unwrap();
        terminal.draw(|frame| draw(frame, &view, KEYS)).unwrap();
        insta::assert_snapshot!("watch", terminal.backend().to_string());
    }
}
