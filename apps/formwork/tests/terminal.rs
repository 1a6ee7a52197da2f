//! What a deployment looks like on a terminal: the real binary on a pseudo-terminal, its bytes read by a terminal.

#![cfg(all(unix, feature = "engine"))]
#![allow(clippy::unwrap_used, reason = "what tests share may panic as tests do")]

mod support;

use std::fs::File;
use std::io::Read;
use std::process::{ExitStatus, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use support::{Project, app, golden};

/// Enough rows that nothing scrolls away.
const ROWS: u16 = 200;

/// What was seen of a command.
struct Seen {
    status: ExitStatus,
    bytes: Vec<u8>,
    /// The screen in the end, without blanks at the ends of lines.
    screen: String,
    parser: vt100::Parser,
    /// The lines that changed in place, as they were at some time.
    at_work: Vec<String>,
}

/// Runs `formwork rehearse` of the test app on a terminal of so many columns.
fn rehearse(columns: u16, variables: &[(&str, &str)], arguments: &[&str]) -> Seen {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let size = Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&master, size).unwrap();
    let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let slave = File::options().read(true).write(true).open(path).unwrap();
    let project = Project::new();
    let app = app("good");
    let mut command = project.command(&[&["rehearse", "--app", &app], arguments].concat());
    command.env("TERM", "xterm-256color").envs(variables.iter().copied());
    command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(Stdio::from(slave));
    let mut child = command.spawn().unwrap();
    // The command holds the terminal's other end, which has to be closed for the reading to end.
    drop(command);

    let mut parser = vt100::Parser::new(ROWS.try_into().unwrap(), columns.try_into().unwrap(), 0);
    let (mut bytes, mut at_work) = (Vec::new(), Vec::new());
    let mut master = File::from(master);
    let mut buffer = [0; 4096];
    // Linux reports the end of a terminal as an error.
    while let Ok(read @ 1..) = master.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
        parser.process(&buffer[..read]);
        let is_at_work = |line: &String| line.starts_with(['|', '/', '-', '\\']);
        at_work.extend(parser.screen().rows(0, columns).filter(is_at_work));
    }
    let status = child.wait().unwrap();
    let rows: Vec<String> = parser.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
    let screen = format!("{}\n", rows.join("\n").trim_end());
    Seen { status, bytes, screen, parser, at_work }
}

impl Seen {
    /// Whether the bytes ask for colours or other styles.
    fn is_styled(&self) -> bool {
        self.sequences().contains(&'m')
    }

    /// The last sign of each escape sequence.
    fn sequences(&self) -> Vec<char> {
        let text = String::from_utf8(self.bytes.clone()).unwrap();
        let ends = text.split('\x1b').skip(1).map(|rest| {
            let rest = rest.strip_prefix('[').expect("every escape sequence is a control sequence");
            rest.chars().find(|sign| !sign.is_ascii_digit() && !";?".contains(*sign)).unwrap()
        });
        ends.collect()
    }

    /// The rows that the terminal had to break.
    fn broken(&self) -> Vec<&str> {
        let rows = self.screen.lines().enumerate();
        let rows = rows.filter(|(row, _)| self.parser.screen().row_wrapped(*row as u16));
        rows.map(|(_, text)| text).collect()
    }

    /// The screen without the figures of times, and without what is made up anew for each run.
    fn screen_without_times(&self) -> String {
        let mut text = String::new();
        for row in self.screen.lines() {
            let time = [" after ", " deployed in "].iter().find_map(|words| row.find(words));
            let (kept, time) = row.split_at(time.unwrap_or(row.len()));
            let mut time: String = time.replace(|sign: char| sign.is_ascii_digit(), "0");
            while time.contains("00") {
                time = time.replace("00", "0");
            }
            text.push_str(&format!("{kept}{time}\n"));
        }
        text
    }
}

/// Fault 73: at every width the plan, each stack's end and the summary stay on the screen, and no line is broken by the
/// terminal.
#[test]
fn a_deployment_looks_right_at_every_width() {
    for columns in [20, 40, 80, 160] {
        for variables in [&[][..], &[("NO_COLOR", "1")][..]] {
            let seen = rehearse(columns, variables, &["--speed", "20"]);
            assert!(seen.status.success(), "{}", seen.screen);
            assert_eq!(seen.is_styled(), variables.is_empty(), "{columns}: {:?}", seen.sequences());
            assert_eq!(seen.broken(), [""; 0], "{columns}");
            // How a line is broken in the narrowest window depends on how long a time is.
            if columns > 20 {
                golden(&format!("terminal-{columns}.txt"), &seen.screen_without_times());
            }
            let words = seen.screen_without_times().split_whitespace().collect::<Vec<_>>().join(" ");
            for stack in ["app-network", "app-proxy"] {
                assert!(words.contains(&format!("{stack} is deployed after")), "{columns}: {words}");
            }
            let at_work = seen.at_work.join("\n");
            assert!(at_work.contains("0/2") && at_work.contains("2/2"), "{columns}: {at_work}");
        }
    }
}

/// Fault 68: nothing that changed in place is left, and the cursor is where the next command's line begins.
#[test]
fn the_terminal_is_left_as_it_was() {
    for arguments in [&["--speed", "200"][..], &["--speed", "200", "--fail", "Topic1"][..]] {
        let seen = rehearse(80, &[], arguments);
        let screen = seen.parser.screen();
        assert!(!screen.hide_cursor() && !screen.alternate_screen());
        assert_eq!(screen.cursor_position().1, 0, "{}", seen.screen);
        assert!(!seen.screen.lines().any(|line| line.starts_with(['|', '/', '-', '\\'])), "{}", seen.screen);
    }
}

/// Fault 73: a terminal that cannot move its cursor, and one that is kept as a log, get lines.
#[test]
fn a_dumb_terminal_and_a_pipeline_get_lines() {
    for variables in [&[("TERM", "dumb"), ("NO_COLOR", "1")], &[("CI", "1"), ("NO_COLOR", "1")]] {
        let seen = rehearse(160, variables, &["--speed", "200"]);
        assert_eq!(seen.sequences(), [], "{}", seen.screen);
        assert!(seen.screen.contains("app-network  create started: 2 resources"), "{}", seen.screen);
    }
}
