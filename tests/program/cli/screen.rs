//! What is shown on terminals of any width.

use crate::cli::terminal::Terminal;
use crate::env::TestEnv;

const LONG_NAME: &str = "in/a lecture that has a name of many words (part 1).wav";

/// Makes an input of noise, which takes longer to convert than silence.
fn noise(env: &TestEnv, name: &str, seconds: u32) {
    env.create_folder("in");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(env.path(name), spec).unwrap();
    let samples = seconds * spec.sample_rate;
    let mut writer = wav.get_i16_writer(samples);
    let mut state = 1_u32;
    for _ in 0..samples {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        writer.write_sample((state >> 16) as i16 / 4);
    }
    writer.flush().unwrap();
    wav.finalize().unwrap();
}

/// Creates a folder with a long file, one that is already done, a damaged one, and one that is not
/// audio.
fn folder(args: &str) -> TestEnv {
    let env = TestEnv::with_short_speech(&["in/ready.wav"]);
    env.run(args).succeeds();
    noise(&env, LONG_NAME, 150);
    env.write("in/text.wav", "no audio");
    env.encode_recording("speech-16k-mono", "in/bad.flac", "");
    let mut bytes = env.read("in/bad.flac");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 40].fill(0x55);
    env.write("in/bad.flac", bytes);
    env
}

/// Checks that no row is left of what is shown only while a batch runs.
#[track_caller]
fn assert_no_bars(terminal: &Terminal) {
    let text = terminal.text();
    for leftover in ["━", "─", "%", "^C", " left", "files  "] {
        assert!(!text.contains(leftover), "{leftover:?} is left\n{text}");
    }
}

#[test]
fn a_run_reads_well_at_any_width() {
    let args = "in out --ratio 0.8 -n -j 1";
    for (columns, name, width) in [
        (100, "in/a lecture that has a…many words (part 1).wav", 24),
        (60, "in/a lect…rt 1).wav", 12),
        (40, "in/a lect…art 1).wav", 0),
    ] {
        let env = folder(args);
        let mut terminal = Terminal::start(&env, columns, args);
        let is_glyph = |&c: &char| "━─".contains(c);
        terminal.wait_until("a line for the file and one for the whole", |this| {
            let rows = this.rows();
            let [file, total] = &rows[..] else {
                return false;
            };
            file.starts_with(name)
                && file.contains(" / 2:30")
                && file.chars().filter(is_glyph).count() == width
                && total.contains("0/3 files, 1 up to date")
        });

        terminal.ends(1);
        assert_no_bars(&terminal);
        let text = terminal.text();
        let lines: Vec<&str> = text.lines().collect();
        let [
            warning,
            checksum,
            counts,
            lengths,
            time,
            report,
            failed,
            retry,
        ] = lines[..]
        else {
            panic!("{text}");
        };
        assert!(warning.starts_with("warning: in/bad.flac: "), "{text}");
        assert!(
            warning.ends_with("ms of the input is damaged and became silence"),
            "{text}"
        );
        assert!(
            checksum.starts_with("warning: in/bad.flac: the decoded"),
            "{text}"
        );
        assert_eq!(counts, "2 done, 1 up to date, 1 failed, 2 warnings");
        assert!(
            lengths.starts_with("2:33 became 2:02, 0:31 saved; "),
            "{text}"
        );
        assert!(lengths.contains("; 13.3 MB became 10."), "{text}");
        assert!(time.ends_with("x real time"), "{text}");
        assert_eq!(report, "report: out/audiostretchy-report.json");
        assert!(
            failed.starts_with("failed: in/text.wav: not audio"),
            "{text}"
        );
        assert!(
            retry.starts_with("retry: audiostretchy --rerun-failed out/"),
            "{text}"
        );
    }
}

#[test]
fn one_file_is_told_by_name_with_both_lengths_and_sizes() {
    let env = TestEnv::with_speech(&["in.wav"]);
    let mut terminal = Terminal::start(&env, 100, "in.wav out.wav --speed 2");
    terminal.ends(0);
    let text = terminal.text();
    let mut lines = text.lines();
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("in.wav: 0:02.5 became 0:01.2, 0:01.2 saved; 80.0 kB became 40."),
        "{text}"
    );
    assert!(lines.next().unwrap().ends_with("x real time"), "{text}");
    assert_eq!(lines.next(), None);
}

#[test]
fn quiet_shows_neither_bars_nor_warnings() {
    let args = "in out --ratio 0.8 -n -j 1 -q";
    let env = folder(args);
    let mut terminal = Terminal::start(&env, 60, args);
    terminal.ends(1);
    let text = terminal.text();
    assert!(text.starts_with("failed: in/text.wav: "), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn one_ctrl_c_finishes_the_file_at_work_and_says_how_to_go_on() {
    let env = TestEnv::new();
    for (name, seconds) in [("in/a.wav", 600), ("in/b.wav", 1), ("in/c.wav", 1)] {
        noise(&env, name, seconds);
    }
    let args = "in out --ratio 0.8 -n -j 1";
    let mut terminal = Terminal::start(&env, 60, args);
    terminal.wait_for(" left");
    terminal.interrupt();
    terminal.wait_for("stopping when the file at work is done (about ");
    terminal.wait_for("); Ctrl-C again stops now");
    terminal.wait_until("the total tells", |this| {
        this.rows()
            .iter()
            .any(|row| row.contains("/3 files") && row.ends_with("stopping"))
    });
    terminal.ends(130);
    assert_no_bars(&terminal);
    let text = terminal.text();
    let counts = "stopped: 1 done, 2 not begun; the same command goes on from here";
    assert!(text.lines().any(|line| line == counts), "{text}");
    assert!(!text.contains("retry"), "{text}");
    assert_eq!(env.report("out")["exit_code"], 130);
    env.run(args).succeeds().says(&["2 done, 1 up to date"]);
}

#[test]
fn two_ctrl_c_give_up_the_files_at_work_and_report_all_the_same() {
    let env = TestEnv::new();
    for (name, seconds) in [("in/a.wav", 600), ("in/b.wav", 600), ("in/c.wav", 1)] {
        noise(&env, name, seconds);
    }
    let mut terminal = Terminal::start(&env, 100, "in out --ratio 0.8 -n -j 2");
    terminal.wait_for_bars(2);
    terminal.interrupt();
    terminal.wait_for("stopping when the 2 files at work are done");
    terminal.interrupt();
    terminal.ends(130);
    assert_no_bars(&terminal);
    let text = terminal.text();
    let counts = "stopped: 2 given up, 1 not begun; the same command goes on from here";
    assert!(text.lines().any(|line| line == counts), "{text}");
    assert!(text.contains("giving up 2 files at work"), "{text}");
    assert!(env.files("out").is_empty(), "{env}");
    let report = env.report("out");
    assert_eq!(report["outcome"], "interrupted");
    assert_eq!(report["counts"]["not_run"], 3);
    let mut reasons: Vec<&str> = (report["files"].as_array().unwrap().iter())
        .map(|file| file["reason"].as_str().unwrap())
        .collect();
    reasons.sort_unstable();
    let given_up = "given up when the run was stopped";
    assert_eq!(reasons, [given_up, given_up, "the run was interrupted"]);
}

#[test]
fn a_window_that_is_closed_stops_a_run_as_ctrl_c_does() {
    let env = TestEnv::new();
    for (name, seconds) in [("in/a.wav", 150), ("in/b.wav", 1), ("in/c.wav", 1)] {
        noise(&env, name, seconds);
    }
    let args = "in out --ratio 0.8 -n -j 1";
    let mut terminal = Terminal::start(&env, 100, args);
    terminal.wait_for_bars(1);
    terminal.close();
    terminal.ends(129);
    let report = env.report("out");
    assert_eq!(report["exit_code"], 129);
    assert_eq!(report["outcome"], "interrupted");
    assert_ne!(report["counts"]["not_run"], 0);
    assert_eq!(report["counts"]["failed"], 0);
}

#[test]
fn the_whole_is_seen_below_more_files_than_the_screen_has_rows() {
    let env = TestEnv::new();
    noise(&env, "in/00.wav", 20);
    let wav = env.read("in/00.wav");
    for number in 1..30 {
        env.write(format!("in/{number:02}.wav"), &wav);
    }
    let mut terminal = Terminal::start(&env, 60, "in out --ratio 0.8 -n -j 30");
    terminal.wait_until("the whole below the files", |terminal| {
        let rows = terminal.rows();
        rows.len() > 20 && rows.last().is_some_and(|row| row.contains(" files"))
    });
    terminal.ends(0);
    assert_no_bars(&terminal);
    assert!(
        terminal.text().starts_with("30 done\n"),
        "{}",
        terminal.text()
    );
}
