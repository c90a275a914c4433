#!/usr/bin/env python3
"""Runs the program for a long time on a folder of varied files and disturbs it.

    cargo build --release
    benches/soak.py target/release/audiostretchy --minutes 30

The folder holds all formats that are read, lengths from no frame to an hour, odd names, and one
damaged file in twenty. Each round picks settings, changes some inputs, and disturbs a few runs: by
signals (SIGKILL, SIGTERM, SIGINT once and twice) at any moment, or by a disk that is full. A last,
undisturbed run ends the round. After every run it checks that

- every output is whole: equal, byte for byte, to one of a fresh conversion with settings used so
  far, and after the last run of a round to the one with those of the round;
- the report and the exit code tell what is on the disk;
- no temporary file is left, but by a run that was killed;
- memory and open files stay below their limits, whatever the run went through.

Fresh conversions are made once for each content and settings, one folder of distinct contents at a
time, undisturbed. The outputs lie on a file system in memory (a namespace of mounts of our own),
which is filled up for the rounds with a full disk.

The first thing found wrong ends it with exit code 1 and the seed; the folder is kept then.
Needs ffmpeg, and unshare of util-linux for the full disk.
"""

import argparse
import collections
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
RECORDINGS = [
    HERE / "tests/data/recordings/stories/sea.wav",
    HERE / "tests/data/recordings/lectures/scaling.wav",
    HERE / "tests/data/recordings/lectures/evening.flac",
]
JOURNAL = ".audiostretchy.jsonl"
REPORT = "audiostretchy-report.json"

# File name extension and options of ffmpeg for each kind of input.
KINDS = [
    ("wav", "-c:a pcm_s16le"),
    ("wav", "-c:a pcm_s24le"),
    ("wav", "-c:a pcm_f32le"),
    ("wav", "-c:a pcm_u8"),
    ("wav", "-c:a pcm_alaw -ac 1"),
    ("wav", "-c:a adpcm_ms"),
    ("rf64", "-c:a pcm_s16le -rf64 always -f wav"),
    ("w64", "-c:a pcm_s16le"),
    ("au", "-c:a pcm_s16be"),
    ("aiff", "-c:a pcm_s16be"),
    ("caf", "-c:a pcm_s16le"),
    ("flac", "-c:a flac"),
    ("flac", "-c:a flac -sample_fmt s32"),
    ("oga", "-c:a flac -f ogg"),
    ("mp3", "-c:a libmp3lame -b:a 64k"),
    ("mp3", "-c:a libmp3lame -q:a 5"),
    ("mp2", "-c:a mp2 -ar 44100"),
    ("ogg", "-c:a libvorbis -q:a 3"),
    ("opus", "-c:a libopus -b:a 48k -ar 48000"),
    ("m4a", "-c:a aac -b:a 64k"),
    ("m4a", "-c:a alac"),
    ("aac", "-c:a aac -f adts"),
    ("mka", "-c:a libopus -ar 48000"),
    ("webm", "-c:a libvorbis"),
]

# The output folder and the arguments of the program; with `keep` only what can be kept is taken.
# Different formats get different folders, since they would share the subtitles.
KEPT = ["wav", "rf64", "flac", "mp3", "ogg", "oga", "opus", "m4a", "aiff"]
EXTENSIONS = {
    "wav": ["wav"],
    "mp3": ["mp3"],
    "flac": ["flac"],
    "aiff": ["aiff"],
    "ogg": ["ogg", "oga"],
    "opus": ["opus"],
    "m4a": ["m4a"],
}
SETTINGS = [
    ("flac", "--speed 1.5 --preset speech --format flac"),
    ("keep", "--preset podcast -e " + " -e ".join(KEPT)),
    ("flac", "--ratio 1.2 --gap-ratio 0.6 -s 16000 --format flac"),
    ("mp3", "--speed 2 --format mp3 --bitrate 48"),
    ("wav", "--ratio 0.7 --preset fast --format wav"),
    ("opus", "--speed 1.3 --format opus"),
    ("keep", "--speed 3 --strict --no-tags -e " + " -e ".join(KEPT)),
]

NAMES = [
    "{n} plain", "{n}  two spaces ", "'{n}' \"quoted\" $(x) `y`", "-r {n}", "{n} ..", "{n}\nnew line",
    "{n}\x1b[31m red", "{n}\u202etfel ot thgir", "{n} %s*?[a]", "{n}\\back\\slash", "{n} ünïcödé",
    "{n} 録音 🎧", "{n} e\u0301 decomposed", "{n}.dots.in.name", "{n} " + "x" * 200, "{n}<b>|`md`|</b>",
    "{n} ]]>&amp;", b"{n} latin \xe9\xff",
]


class Wrong(Exception):
    """Something that must never be."""


def shown(path):
    return os.fsencode(path).decode("utf-8", "backslashreplace").encode("unicode_escape").decode()


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- Inputs ---------------------------------------------------------------------------------------


def length(rng):
    kind = rng.random()
    if kind < 0.08:
        return rng.choice([0.0, 0.0001, 0.001, 0.02])
    if kind < 0.8:
        return rng.uniform(0.03, 2)
    return rng.uniform(2, 15)


def make_moulds(folder, count, long_ones, rng):
    """Files of distinct content, without the damaged; `(path, is_long)`."""
    folder.mkdir()
    voice = folder / "voice.wav"
    inputs = [word for path in RECORDINGS for word in ("-i", path)]
    chain = "".join(f"[{i}]aresample=16000,aformat=channel_layouts=mono[a{i}];" for i in range(3))
    chain += "[a0][a1][a2]concat=n=3:v=0:a=1"
    ffmpeg(*inputs, "-filter_complex", chain, voice)
    lengths = [(length(rng), False) for _ in range(count)]
    lengths += [(seconds, True) for seconds in long_ones]
    moulds = []
    for number, (seconds, is_long) in enumerate(lengths):
        extension, options = KINDS[number % len(KINDS)]
        rate, channels = rng.choice([8000, 16000, 22050, 44100, 48000]), rng.choice([1, 1, 2])
        if is_long:
            extension, options = ("flac", "-c:a flac") if number % 2 else ("wav", "-c:a pcm_s16le")
            rate, channels = 8000, 1
        path = folder / f"{number}.{extension}"
        tags = ["-metadata", f"title=No. {number}\u202e | `x`", "-metadata", "artist=\x1b[2J"]
        ffmpeg(
            "-stream_loop", "-1", "-ss", f"{rng.uniform(0, 20):.3f}", "-i", voice,
            "-t", f"{seconds:.4f}", "-ar", rate, "-ac", channels, *tags, *options.split(), path,
            may_fail=True,
        )  # fmt: skip
        if path.exists():
            moulds.append((path, is_long))
    voice.unlink()
    return moulds


def ffmpeg(*arguments, may_fail=False):
    words = ["ffmpeg", "-nostdin", "-v", "quiet", "-y", "-bitexact", *map(str, arguments)]
    if subprocess.run(words).returncode and not may_fail:
        raise SystemExit(f"ffmpeg fails: {words}")


def damaged(content, rng):
    """The content with one of the things that happen to files."""
    content = bytearray(content)
    kind = rng.randrange(6)
    if kind == 0 or not content:
        return bytes(rng.randbytes(rng.randrange(5000)))
    if kind == 1:
        return bytes(content[: rng.randrange(len(content))])
    if kind == 2:
        return b""
    if kind == 3:  # the header
        for _ in range(8):
            content[rng.randrange(min(len(content), 200))] = rng.randrange(256)
    elif kind == 4:  # scattered bytes
        for _ in range(1 + len(content) // 2000):
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    else:  # a hole
        start = rng.randrange(len(content))
        end = min(len(content), start + rng.randrange(1, 20_000))
        content[start:end] = bytes(end - start)
    return bytes(content)


def subtitles(number):
    return f"1\n00:00:00,010 --> 00:00:01,{number % 1000:03}\nNo. {number}\n"


class Inputs:
    """The input folder, and what every file in it holds."""

    def __init__(self, folder, moulds, count, rng):
        self.folder, self.rng = folder, rng
        self.moulds = collections.defaultdict(list)
        self.files = {}  # relative path (bytes) -> key of its content
        self.samples = {}  # key -> (path of a copy, subtitles or None)
        self.store = folder.parent / "contents"
        self.store.mkdir()
        for path, is_long in moulds:
            if not is_long:
                self.moulds[path.suffix].append(path)
        short = [path for path, is_long in moulds if not is_long]
        chosen = [path for path, is_long in moulds if is_long]
        chosen += [rng.choice(short) for _ in range(count - len(chosen))]
        for number, mould in enumerate(chosen):
            name = NAMES[number % len(NAMES)]
            if isinstance(name, bytes):
                name = name.replace(b"{n}", str(number).encode())
            else:
                name = name.replace("{n}", str(number)).encode()
            under = [b"", b"one/", b"one/two deep/", "drei ü/".encode()][number % 4]
            relative = under + name + os.fsencode(mould.suffix)
            content = mould.read_bytes()
            if number % 20 == 19:
                content = damaged(content, rng)
            self.put(relative, content, subtitles(number % 7) if number % 10 == 3 else None)

    def put(self, relative, content, text=None):
        path = os.path.join(os.fsencode(self.folder), relative)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        extension = os.path.splitext(relative)[1].decode()
        key = hashlib.sha256(content + (text or "").encode()).hexdigest() + extension
        if key not in self.samples:
            copy = self.store / key
            copy.write_bytes(content)
            self.samples[key] = (copy, text)
        self.files[relative] = key
        if text is not None:
            with open(os.path.splitext(path)[0] + b".srt", "w") as file:
                file.write(text)

    def change_some(self, count):
        """Gives some files another content, and some a new time only."""
        for relative in self.rng.sample(sorted(self.files), count):
            path = os.path.join(os.fsencode(self.folder), relative)
            _, text = self.samples[self.files[relative]]
            suffix = os.path.splitext(relative)[1].decode()
            if self.rng.random() < 0.3:
                os.utime(path)
            else:
                content = self.rng.choice(self.moulds[suffix]).read_bytes()
                is_bad = self.rng.random() < 0.05
                self.put(relative, damaged(content, self.rng) if is_bad else content, text)

    def taken(self, settings):
        kind, _ = settings
        extensions = tuple(b"." + ext.encode() for ext in KEPT)
        return [path for path in self.files if kind != "keep" or path.endswith(extensions)]


def output_of(relative, kind):
    stem, extension = os.path.splitext(relative)
    extension = extension[1:].decode()
    if kind == "keep":
        return relative if extension != "rf64" else stem + b".wav"
    known = EXTENSIONS[kind]
    return stem + b"." + (extension if extension in known else known[0]).encode()


# --- Running --------------------------------------------------------------------------------------

Ended = collections.namedtuple(
    "Ended", "code started seconds peak_mb middle_mb last_mb most_open messages"
)


class Program:
    def __init__(self, path, limit_seconds):
        self.path, self.limit = os.path.abspath(path), limit_seconds

    def run(self, arguments, folder, disturb=None):
        """Runs it to the end; `disturb` is called with the process in a thread of its own.

        It hangs if its journal, beside the outputs, does not grow for too long: on a machine with
        other work to do, a whole run may take any time.
        """
        started = moved = time.time()
        journal, size = folder / arguments[1] / JOURNAL, None
        messages = tempfile.TemporaryFile()
        process = subprocess.Popen(
            [self.path, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stderr=messages,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        thread = threading.Thread(target=disturb or (lambda _: None), args=[process])
        thread.start()
        resident, peak, most_open, status = [], 0, 0, None
        while status is None:
            pid, status_now = os.waitpid(process.pid, os.WNOHANG)
            if pid:
                status = status_now
                break
            try:
                most_open = max(most_open, len(os.listdir(f"/proc/{process.pid}/fd")))
                for line in open(f"/proc/{process.pid}/status"):
                    # What getrusage gives includes our own memory, from before the exec.
                    if line.startswith("VmHWM"):
                        peak = int(line.split()[1]) / 1024
                    elif line.startswith("VmRSS"):
                        resident.append(int(line.split()[1]) / 1024)
            except OSError:
                pass
            size_now = journal.stat().st_size if journal.exists() else None
            if size_now != size:
                size, moved = size_now, time.time()
            if time.time() - moved > self.limit:
                os.kill(process.pid, signal.SIGABRT)
                raise Wrong(f"hangs: nothing is done for {self.limit} s")
            time.sleep(0.02)
        process.returncode = os.waitstatus_to_exitcode(status)
        thread.join()
        messages.seek(0)
        half = len(resident) // 2
        return Ended(
            process.returncode, started, time.time() - started, peak,
            max(resident[:half], default=0), max(resident[half:], default=0), most_open,
            messages.read().decode("utf-8", "replace"),
        )  # fmt: skip


def send_after(signals, seconds):
    """Sends signals to a process, the first after some seconds and the others just behind it."""

    def disturb(process):
        time.sleep(seconds)
        for number in signals:
            if process.returncode is not None:
                return
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                return
            time.sleep(0.03)

    return disturb


# --- Checking -------------------------------------------------------------------------------------


class Expected:
    """What fresh conversions come to."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.known = {}  # (key, settings) -> (error code or None, SHA-256, SHA-256 of subtitles)

    def make(self, inputs, settings):
        wanted = {inputs.files[path] for path in inputs.taken(settings)}
        wanted = sorted(key for key in wanted if (key, settings) not in self.known)
        if not wanted:
            return
        fresh, out = self.folder / "fresh", self.folder / "fresh-out"
        fresh.mkdir()
        for number, key in enumerate(wanted):
            copy, text = inputs.samples[key]
            shutil.copyfile(copy, fresh / f"{number}{copy.suffix}")
            if text is not None:
                (fresh / f"{number}.srt").write_text(text)
        kind, arguments = settings
        run = self.program.run(["fresh", "fresh-out", *arguments.split()], self.folder)
        if run.code not in (0, 1):
            raise Wrong(f"the fresh run ends with {run.code}: {run.messages[-2000:]}")
        report = json.loads((out / REPORT).read_text())
        failed = {file["input"]: file.get("error") for file in report["files"]}
        for number, key in enumerate(wanted):
            name = f"{number}{inputs.samples[key][0].suffix}"
            error = failed[f"fresh/{name}"]
            output = out / output_of(name.encode(), kind).decode()
            texts = output.with_suffix(".srt")
            self.known[key, settings] = (
                error and error["code"],
                None if error else sha256(output),
                sha256(texts) if texts.exists() else None,
            )
            if error and error["code"] == "panic":
                print(f"  a panic is that file's failure: {error['message']}", flush=True)
        shutil.rmtree(fresh)
        shutil.rmtree(out)


class Outputs:
    """What the output folder may hold, from all that was ever asked for."""

    def __init__(self, folder, inputs, expected):
        self.root, self.inputs, self.expected = folder, inputs, expected
        self.allowed = collections.defaultdict(set)
        self.hashes = {}  # path -> (state, SHA-256)

    def allow(self, settings):
        for relative in self.inputs.taken(settings):
            _, audio, texts = self.expected.known[self.inputs.files[relative], settings]
            output = os.path.join(settings[0].encode(), output_of(relative, settings[0]))
            self.allowed[output].add(audio)
            self.allowed[os.path.splitext(output)[0] + b".srt"].add(texts)

    def sha256(self, path):
        try:
            stat = os.stat(path)
        except FileNotFoundError:
            return None
        state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if self.hashes.get(path, (None,))[0] != state:
            self.hashes[path] = (state, sha256(path))
        return self.hashes[path][1]

    def check_whole(self, may_leave_temporary):
        """Every file is one that was asked for, whole; gives how many."""
        root, count = os.fsencode(self.root), 0
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, root)
                if relative.count(b"/") == 1 and name.decode("utf-8", "replace") in (JOURNAL, REPORT):
                    continue
                if name.startswith(b".audiostretchy-") and name.endswith(b".tmp"):
                    if not may_leave_temporary:
                        raise Wrong(f"a temporary file is left: {shown(path)}")
                    continue
                if self.sha256(path) not in self.allowed.get(relative, ()):
                    raise Wrong(f"not equal to a fresh conversion: {shown(path)}")
                count += 1
        return count

    def check_report(self, run, settings, disk_was_full, is_last):
        """The report, if this run wrote one, tells what is there; gives its counts."""
        folder = self.root / settings[0]
        path = folder / REPORT
        if not path.exists() or path.stat().st_mtime < run.started:
            if is_last or run.code in (0, 1):
                raise Wrong(f"exit code {run.code} and no report: {run.messages[-500:]}")
            return None
        report = json.loads(path.read_text())
        if report["exit_code"] != run.code and not (run.code == 3 and disk_was_full):
            raise Wrong(f"exit code {run.code}, the report says {report['exit_code']}")
        told = {}
        for file in report["files"]:
            name = file["input"]
            name = bytes(name["bytes"]) if isinstance(name, dict) else name.encode()
            told[name.removeprefix(b"in/")] = file
        taken = self.inputs.taken(settings)
        if set(told) != set(taken):
            raise Wrong(f"the report tells of {len(told)} files, there are {len(taken)}")
        failures = 0
        for relative, file in told.items():
            code, audio, texts = self.expected.known[self.inputs.files[relative], settings]
            output = os.path.join(os.fsencode(folder), output_of(relative, settings[0]))
            status, where = file["status"], shown(relative)
            if status in ("done", "skipped"):
                if code is not None:
                    raise Wrong(f"{where}: {status}, and fails with {code} in a fresh run")
                if self.sha256(output) != audio:
                    raise Wrong(f"{where}: {status}, and the output is not that of these settings")
                found = self.sha256(os.path.splitext(output)[0] + b".srt")
                if found != texts:
                    raise Wrong(f"{where}: {status}, and the subtitles are of other settings")
            elif status == "failed":
                failures += 1
                found = file["error"]["code"]
                if found != code and not (disk_was_full and found in ("output", "journal")):
                    raise Wrong(f"{where}: fails with {file['error']}, fresh with {code}")
            elif run.code not in (130, 143):
                raise Wrong(f"{where}: {status} in a run that nobody stopped")
        if run.code not in (130, 143, 3) and run.code != (1 if failures else 0):
            raise Wrong(f"exit code {run.code} with {failures} failures")
        return report["counts"]


# --- Rounds ---------------------------------------------------------------------------------------


class Soak:
    def __init__(self, args, folder, rng):
        self.args, self.rng, self.folder = args, rng, folder
        self.out = folder / "out"
        self.program = Program(args.program, args.limit)
        self.tally = collections.Counter()
        self.peaks, self.opened = [], []
        self.whole_run = 20.0

    def prepare(self):
        clock = time.time()
        rng, args = self.rng, self.args
        long_ones = [120, 180, 240, 300] + [3600] * args.hours
        moulds = make_moulds(self.folder / "moulds", args.contents, long_ones, rng)
        self.inputs = Inputs(self.folder / "in", moulds, args.files, rng)
        self.expected = Expected(self.program, self.folder)
        self.outputs = Outputs(self.out, self.inputs, self.expected)
        size = sum(path.stat().st_size for path in (self.folder / "in").rglob("*") if path.is_file())
        print(
            f"{len(self.inputs.files)} files, {len(self.inputs.samples)} contents,"
            f" {size / 1e6:.0f} MB, made in {time.time() - clock:.0f} s",
            flush=True,
        )

    def disturbances(self):
        """A name, the signals to send, and whether the disk is to be full."""
        return self.rng.choice(
            [
                ("kill", [signal.SIGKILL], False),
                ("kill", [signal.SIGKILL], False),
                ("SIGTERM", [signal.SIGTERM], False),
                ("SIGINT", [signal.SIGINT], False),
                ("SIGINT twice", [signal.SIGINT, signal.SIGINT], False),
                ("SIGTERM twice", [signal.SIGTERM, signal.SIGTERM], False),
                ("full disk", [], True),
                ("full disk, kill", [signal.SIGKILL], True),
            ]
        )

    def fill_disk(self):
        """Leaves little room where outputs lie."""
        left = int(10 ** self.rng.uniform(3.5, 7))
        room = shutil.disk_usage(self.out)
        with open(self.folder / "disk" / "ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, room.free - left))

    def empty_disk(self):
        (self.folder / "disk" / "ballast").unlink(missing_ok=True)

    def run(self, settings, name, signals=(), is_full=False, is_last=False):
        arguments = ["in", f"out/{settings[0]}", *settings[1].split(), "-j", str(self.args.jobs)]
        disturb = None
        if signals:
            # From the first moments to the end, the early ones as often as the late.
            seconds = 10 ** self.rng.uniform(-2, 0) * self.whole_run
            disturb = send_after(signals, seconds)
        if is_full:
            self.fill_disk()
        run = self.program.run(arguments, self.folder, disturb)
        if is_full:
            self.empty_disk()
        died = run.code < 0
        self.tally[name] += 1
        self.tally[f"exit {run.code}"] += 1
        self.peaks.append(run.peak_mb)
        self.opened.append(run.most_open)
        if died and -run.code not in signals:
            raise Wrong(f"died of signal {-run.code}: {run.messages[-2000:]}")
        allowed = {0, 1} | {128 + number for number in signals} | ({2, 3} if is_full else set())
        if not died and run.code not in allowed:
            raise Wrong(f"exit code {run.code}: {run.messages[-2000:]}")
        if "panicked" in run.messages or "internal error" in run.messages:
            raise Wrong(f"panics: {run.messages[-2000:]}")
        if run.peak_mb > self.args.memory:
            raise Wrong(f"{run.peak_mb:.0f} MB of memory")
        if run.most_open > self.args.open_files:
            raise Wrong(f"{run.most_open} open files")
        whole = self.outputs.check_whole(may_leave_temporary=died)
        counts = self.outputs.check_report(run, settings, is_full, is_last)
        told = counts and f"{counts['done']} done, {counts['skipped']} skipped, {counts['failed']} failed"
        told = told and told + f", {counts['not_run']} not run"
        print(
            f"  {name}: exit {run.code}, {run.seconds:.1f} s, {told or 'no report'}; {whole} outputs"
            f" whole; {run.peak_mb:.0f} MB (halves {run.middle_mb:.0f}, {run.last_mb:.0f}),"
            f" {run.most_open} open files",
            flush=True,
        )
        return run, counts

    def round(self, number, settings):
        changes = self.rng.randrange(1, self.args.files // 4) if number > 1 else 0
        self.inputs.change_some(changes)
        clock = time.time()
        self.expected.make(self.inputs, settings)
        fresh = time.time() - clock
        self.outputs.allow(settings)
        print(f"round {number}: {changes} changed, fresh {fresh:.0f} s; {settings[1]}", flush=True)
        for _ in range(self.rng.randrange(1, 5)):
            self.run(settings, *self.disturbances())
        run, counts = self.run(settings, "undisturbed", is_last=True)
        if counts["done"] > self.args.files // 2:
            self.whole_run = run.seconds
        if number % 3 == 0:
            _, counts = self.run(settings, "again", is_last=True)
            if counts["done"] or counts["not_run"]:
                raise Wrong(f"a second run finds work: {counts}")

    def soak(self):
        self.prepare()
        end, number, settings = time.time() + self.args.minutes * 60, 0, SETTINGS[0]
        while time.time() < end:
            number += 1
            self.round(number, settings)
            if self.rng.random() < 0.6:
                settings = self.rng.choice(SETTINGS)
        print(f"{number} rounds: {dict(self.tally)}")
        half = len(self.peaks) // 2
        print(
            f"peak memory {max(self.peaks[:half]):.0f} MB in the first half of the runs,"
            f" {max(self.peaks[half:]):.0f} MB in the second; open files at most {max(self.opened)}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="the built program")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--contents", type=int, default=240, help="distinct files, without the damaged")
    parser.add_argument("--hours", type=int, default=1, help="files of an hour")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--memory", type=float, default=200, help="the most MB of a run")
    parser.add_argument("--open-files", type=int, default=48, help="the most open files of a run")
    parser.add_argument("--limit", type=float, default=900, help="seconds without a file done that are a hang")
    parser.add_argument("--disk", default="3g", help="size of the disk of the outputs")
    args = parser.parse_args()
    args.program = os.path.abspath(args.program)
    if "SOAK_FOLDER" not in os.environ:
        # The disk of the outputs vanishes with the namespace, however this ends.
        folder = tempfile.mkdtemp(prefix="soak-")
        os.environ["SOAK_FOLDER"] = folder
        words = ["unshare", "--mount", "--map-root-user", sys.executable, *sys.argv]
        code = subprocess.run([*words, "--seed", str(args.seed)]).returncode
        if code == 0:
            shutil.rmtree(folder)
        else:
            print(f"kept: {folder}")
        return code
    folder = Path(os.environ["SOAK_FOLDER"])
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={args.disk}", "tmpfs", disk], check=True)
    (disk / "out").mkdir()
    (folder / "out").symlink_to("disk/out")
    print(f"seed {args.seed}, {folder}", flush=True)
    soak = Soak(args, folder, random.Random(args.seed))
    try:
        soak.soak()
    except Wrong as wrong:
        print(f"WRONG (seed {args.seed}): {wrong}", flush=True)
        (folder / "out").unlink()
        shutil.copytree(disk / "out", folder / "out", symlinks=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
