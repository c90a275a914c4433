//! Output folders that are no local disk: a mount of rclone, which renames without flags, moves times
//! when a file is closed, and forgets everything when it is mounted anew; and `--temp-dir`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::env::{Run, TestEnv};
use crate::trust::faults::{strace, without_privileges, wrap};

/// A folder that shows another one through rclone, until it is dropped.
struct Mount {
    rclone: Child,
    folder: PathBuf,
}

impl Mount {
    /// Mounts `stored` at `mnt`; `None` where nothing can be mounted.
    fn new(env: &TestEnv) -> Option<Self> {
        let folder = env.path("mnt");
        for name in ["stored", "mnt"] {
            fs::create_dir_all(env.path(name)).unwrap();
        }
        if fs::File::open("/dev/fuse").is_err() {
            eprintln!("skipped: nothing can be mounted here");
            return None;
        }
        let mut command = Command::new("rclone");
        command.arg("mount").arg(env.path("stored")).arg(&folder);
        command.args(["--vfs-cache-mode", "writes", "--vfs-write-back", "0s"]);
        command.args(["--config", "/dev/null"]);
        command.arg("--cache-dir").arg(env.path("cache"));
        let rclone = command.stderr(Stdio::null()).spawn();
        let rclone = rclone.expect("rclone is installed by scripts/test-tools");
        let mount = Self { rclone, folder };
        let end = Instant::now() + Duration::from_secs(20);
        while !mount.is_there() {
            assert!(Instant::now() < end, "rclone does not mount anything");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(mount)
    }

    fn is_there(&self) -> bool {
        let device = |path: PathBuf| path.metadata().map(|metadata| metadata.dev()).ok();
        device(self.folder.clone()) != device(self.folder.join(".."))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let mut unmount = Command::new("fusermount3");
        let _ = unmount.arg("-u").arg(&self.folder).status();
        let _ = self.rclone.wait();
        let _ = fs::remove_dir_all(self.folder.with_file_name("cache"));
    }
}

#[test]
fn a_mount_of_cloud_storage_is_written_to_and_resumed_when_it_is_mounted_anew() {
    let inputs = ["in/a.mp3", "in/b.wav", "in/c/d.flac", "in/e.m4a"];
    let env = TestEnv::with_short_speech(&inputs);
    env.write("in/a.srt", "1\n00:00:00,100 --> 00:00:00,200\nHello\n");
    env.run("in alone --speed 1.5").succeeds();
    let Some(mount) = Mount::new(&env) else {
        return;
    };
    env.run("in mnt/out --speed 1.5")
        .succeeds()
        .says(&["4 done"]);
    env.run("in mnt/out --speed 1.5 --temp-dir . --if-exists overwrite -q")
        .succeeds();
    for partition in ["1/2", "2/2"] {
        env.run(&format!("in mnt/parts --speed 1.5 --partition {partition}"))
            .succeeds();
    }
    drop(mount);
    let Some(_mount) = Mount::new(&env) else {
        return;
    };
    for options in ["out", "out --partition 1/1", "parts"] {
        let run = env.run(&format!("in mnt/{options} --speed 1.5"));
        let run = run.succeeds().says(&["4 up to date"]);
        assert!(!run.stderr.contains("warning"), "{}", run.stderr);
    }
    for folder in ["out", "parts"] {
        for name in ["a.mp3", "a.srt", "b.wav", "c/d.flac", "e.m4a"] {
            let (mounted, alone) = (format!("mnt/{folder}/{name}"), format!("alone/{name}"));
            assert!(env.read(&mounted) == env.read(&alone), "{mounted}");
        }
    }
}

/// Returns the system calls, as strace shows them, that a run makes to files whose path contains
/// `part`.
fn calls(env: &TestEnv, args: &str, part: &str) -> Option<Vec<String>> {
    let mut strace = strace()?;
    strace.args(["-f", "-qq", "-y", "-o", "calls", "-e"]);
    strace
        .arg("trace=read,write,pread64,pwrite64,lseek,rename,renameat2,ftruncate,copy_file_range");
    Run::of(env, wrap(strace, &env.command(args.split(' ')))).succeeds();
    let calls = String::from_utf8_lossy(&env.read("calls")).into_owned();
    let lines = calls.lines().filter(|line| line.contains(part));
    Some(lines.map(str::to_owned).collect())
}

#[test]
fn outputs_made_in_a_temp_dir_are_written_front_to_back_where_they_belong() {
    let inputs = ["in/a.wav", "in/b.m4a", "in/c.flac", "in/d.ogg"];
    let env = TestEnv::with_short_speech(&inputs);
    env.run("in alone --speed 1.5").succeeds();
    fs::create_dir(env.path("scratch")).unwrap();
    let args = "in out --speed 1.5 --temp-dir scratch";
    let Some(calls) = calls(&env, args, "/out/.audiostretchy-") else {
        return;
    };
    let is_in_order = |call: &String| {
        ["write(", "copy_file_range(", "rename"]
            .iter()
            .any(|name| call.contains(name))
    };
    // What is looked up is at most where a file begins, before anything is written.
    let others: Vec<&String> = calls.iter().filter(|call| !is_in_order(call)).collect();
    assert!(calls.len() >= 8 && others.is_empty(), "{others:#?}");
    for name in ["a.wav", "b.m4a", "c.flac", "d.ogg"] {
        let (out, alone) = (format!("out/{name}"), format!("alone/{name}"));
        assert!(env.read(&out) == env.read(&alone), "{name}");
    }
    assert!(env.files("scratch").is_empty());
    // Nothing of what fails stays, there or here.
    env.write("in/e.wav", "no audio");
    env.run("in out --speed 1.6 --temp-dir scratch").exits(1);
    env.write(
        "scratch/.audiostretchy-x1Y2z3.tmp",
        "of a run that was killed",
    );
    env.run("in/a.wav one.flac --speed 1.6 --temp-dir scratch")
        .succeeds();
    assert!(env.files("scratch").is_empty());
    assert_eq!(env.files("out").len(), 4);
}

#[test]
fn a_temp_dir_that_cannot_be_used_is_told_before_anything_begins() {
    let env = TestEnv::with_short_speech(&["in/a.wav"]);
    let message = "--temp-dir gone: files cannot be created there; give a folder that is there";
    env.refuses("in out --speed 1.5 --temp-dir gone", 2, &[message]);
    env.write("file", "");
    let message = "--temp-dir file: files cannot be created there";
    env.refuses("in out --speed 1.5 --temp-dir file", 2, &[message]);
    env.refuses(
        "- - --format wav --speed 1.5 --temp-dir in",
        2,
        &["--temp-dir"],
    );
    assert!(!env.exists("out"));
    fs::create_dir(env.path("closed")).unwrap();
    fs::set_permissions(env.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    let args = "in out --speed 1.5 --temp-dir closed";
    if let Some(command) = without_privileges(&env, args) {
        Run::of(&env, command).exits(2).says(&["--temp-dir closed"]);
    }
}
