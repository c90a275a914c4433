//! Systems with restrictions: no locks, no links, few file handles, little memory, and folders that
//! disappear during a run.
//!
//! strace makes system calls fail. Without it, its tests print a message and are skipped.

use std::fs;
use std::process::Command;

use crate::env::{Run, TestEnv};
use crate::trust::faults::{after, set_mode, strace, without_privileges, wrap};
use crate::trust::live::{Live, has_temporary, inputs};

/// Returns a command in which strace makes system calls fail, or `None` if that is not possible.
fn with_faults(env: &TestEnv, faults: &[&str], args: &str) -> Option<Command> {
    let mut strace = strace()?;
    strace.args(["-f", "-qq", "-o", "/dev/null"]);
    for fault in faults {
        strace.args(["-e", &format!("inject={fault}")]);
    }
    Some(wrap(strace, &env.command(args.split(' '))))
}

#[test]
fn a_file_system_that_can_neither_rename_without_replacing_nor_link_is_written_to() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3"]);
    env.write("in/a.srt", "1\n00:00:00,100 --> 00:00:00,200\nHello\n");
    for error in ["EINVAL", "ENOSYS", "EPERM", "EOPNOTSUPP"] {
        let faults = [
            format!("renameat2:error={error}"),
            "link,linkat:error=EPERM".to_owned(),
        ];
        let faults = faults.each_ref().map(String::as_str);
        let Some(command) = with_faults(&env, &faults, "in out --ratio 0.8") else {
            return;
        };
        Run::of(&env, command).succeeds();
        assert_eq!(env.files("out"), ["a.srt", "a.wav", "b.mp3"], "{error}");
        fs::remove_dir_all(env.path("out")).unwrap();
    }
}

#[test]
fn a_file_system_without_locks_is_written_to_with_a_warning() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    for error in ["ENOLCK", "ENOSYS", "EOPNOTSUPP"] {
        let fault = format!("flock:error={error}");
        env.write("out/.audiostretchy-x1Y2z3.tmp", "perhaps of another run");
        let Some(command) = with_faults(&env, &[&fault], "in out --ratio 0.8") else {
            return;
        };
        Run::of(&env, command)
            .succeeds()
            .says(&["warning: out is on a file system without locks"]);
        assert_eq!(
            env.report("out")["warnings"][0]["code"],
            "not-locked",
            "{error}"
        );
        // Without locks, that file might still be in use by another run, so it is kept.
        assert!(has_temporary(&env, "out"));
        fs::remove_dir_all(env.path("out")).unwrap();
    }
}

#[test]
fn a_folder_that_cannot_be_brought_to_the_disk_is_told() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder("out");
    let out = env.path("out").canonicalize().unwrap();
    let Some(command) = with_faults(&env, &["fsync:error=EIO"], "in out --ratio 0.8") else {
        return;
    };
    let mut command_of_folder = Command::new("strace");
    // Only calls on the folder itself fail.
    command_of_folder.arg("-P").arg(out);
    command_of_folder
        .args(command.get_args())
        .current_dir(env.path(""));
    Run::of(&env, command_of_folder).succeeds();
    let report = env.report("out");
    assert_eq!(
        report["files"][0]["warnings"][0]["code"], "not-synced",
        "{report}"
    );
}

#[test]
fn few_file_handles_make_files_wait_for_their_turn() {
    let env = TestEnv::with_short_speech(&["one.wav"]);
    for number in 0..80 {
        env.write(format!("in/{number:02}.wav"), env.read("one.wav"));
        env.write(
            format!("in/{number:02}.srt"),
            "1\n00:00:00,100 --> 00:00:00,200\nHello\n",
        );
    }
    let command = after(&env, "ulimit -n 32", "in out --ratio 0.8 -j 64 -q");
    Run::of(&env, command).succeeds();
    assert_eq!(env.files("out").len(), 160);
}

#[test]
fn too_little_memory_for_all_threads_gives_fewer() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3", "in/c.flac"]);
    for kib in [300_000, 200_000, 120_000] {
        let limit = format!("ulimit -v {kib}");
        let command = after(
            &env,
            &limit,
            "in out --ratio 0.8 -j 64 --if-exists overwrite",
        );
        Run::of(&env, command).succeeds();
    }
    let command = after(
        &env,
        "ulimit -v 300000",
        "in out --ratio 0.8 -j 64 --dry-run",
    );
    Run::of(&env, command).succeeds();
}

#[test]
fn a_system_that_starts_no_threads_gets_everything_done_on_one() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.mp3", "in/c.flac"]);
    // The limit does not apply to root, and other users cannot read root's folders.
    let program = env.command(["-q"]).get_program().to_owned();
    fs::copy(program, env.path("audiostretchy")).unwrap();
    set_mode(&env, "", 0o777);
    for (args, code) in [
        ("in out --ratio 0.8 -j 64 --dry-run", 0),
        ("in out --ratio 0.8 -j 64", 0),
    ] {
        let script = format!("ulimit -u 1; exec ./audiostretchy {args}");
        let mut command = Command::new("setpriv");
        command.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "bash",
            "-c",
        ]);
        command.arg(script).current_dir(env.path(""));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        if said.starts_with("setpriv: ") {
            eprintln!("skipped: the tests are not run by root");
            return;
        }
        assert_eq!(output.status.code(), Some(code), "{said}");
    }
    assert_eq!(env.files("out"), ["a.wav", "b.mp3", "c.flac"]);
}

#[test]
fn an_output_folder_that_goes_away_stops_the_run() {
    let commands: [fn(&TestEnv); 4] = [
        |env| fs::rename(env.path("out"), env.path("away")).unwrap(),
        |env| {
            fs::rename(env.path("out"), env.path("away")).unwrap();
            env.create_folder("out");
        },
        |env| {
            fs::rename(env.path("out"), env.path("away")).unwrap();
            std::os::unix::fs::symlink("elsewhere", env.path("out")).unwrap();
        },
        |env| {
            fs::rename(env.path("out"), env.path("away")).unwrap();
            fs::remove_dir_all(env.path("away")).unwrap();
        },
    ];
    for go_away in commands {
        let env = inputs(12, 20);
        env.create_folder("elsewhere");
        let mut run = Live::start(&env, "in out -j 2 --ratio 0.8 -n --report report.json");
        run.wait_for_message("[1/12] done");
        go_away(&env);
        let ended = run.ends().exits(3);
        let said = "the output folder was removed, moved or replaced";
        assert!(ended.messages.contains(said), "{}", ended.messages);
        let report: serde_json::Value = serde_json::from_slice(&env.read("report.json")).unwrap();
        assert_eq!(report["exit_code"], 3);
        assert!(
            report["counts"]["not_run"].as_u64().unwrap() > 5,
            "{report}"
        );
        assert!(env.files("elsewhere").is_empty(), "{env}");
        let made_anew = if env.path("out").is_dir() {
            env.files("out")
        } else {
            Vec::new()
        };
        assert!(made_anew.is_empty(), "{env}");
    }
}

#[test]
fn a_journal_of_one_endless_line_is_no_harm() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    env.create_folder("out");
    let journal = fs::File::create(env.path("out/.audiostretchy.jsonl")).unwrap();
    journal.set_len(400 << 20).unwrap();
    let command = after(&env, "ulimit -v 350000", "in out --ratio 0.8");
    Run::of(&env, command).succeeds();
    let journal = env.read("out/.audiostretchy.jsonl");
    assert_eq!(journal.split(|&byte| byte == b'\n').count(), 3);
}

#[test]
fn a_read_only_folder_with_nothing_to_do_is_no_failure() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/b.wav"]);
    env.run("in out --ratio 0.8").succeeds();
    for name in ["out", "out/.audiostretchy.jsonl"] {
        set_mode(&env, name, 0o555);
    }
    let Some(command) = without_privileges(&env, "in out --ratio 0.8") else {
        return;
    };
    let run = Run::of(&env, command).succeeds();
    run.says(&["out/audiostretchy-report.json"]);
    // With something to do, a folder that cannot be written to is an error.
    let command = without_privileges(&env, "in out --ratio 0.7").unwrap();
    let run = Run::of(&env, command).exits(2);
    run.says(&["out: cannot write there"]);
    set_mode(&env, "out", 0o755);
}

#[test]
fn a_refused_plan_leaves_nothing_behind() {
    let env = TestEnv::with_short_speech(&["in/a.wav", "in/a.mp3"]);
    env.create_folder("there");
    env.create_folder("empty");
    for out in ["there", "new", "new/deeper"] {
        env.refuses(
            &format!("in {out} --ratio 0.8 --format mp3"),
            2,
            &["would both"],
        );
        env.refuses(&format!("empty {out} --ratio 0.8"), 4, &["no audio"]);
        env.refuses(
            &format!("in {out} --ratio 0.8 --report in/a.wav"),
            2,
            &["would overwrite"],
        );
    }
    env.write("there/a.wav", "precious");
    env.refuses("in there --ratio 0.8", 2, &["not made by an earlier run"]);
    let before = env.tree();
    env.run("in new --ratio 0.8 --dry-run").succeeds();
    assert!(env.tree() == before, "{env}");
}
