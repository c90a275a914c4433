"""What goes beyond the documentation: samples, exceptions, signals, batches, types, the program."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import warnings

import audiostretchy
import numpy
import pytest
from audiostretchy import AudioStretch, AudioWarning, stretch_audio

FORMATS = ["wav", "flac", "mp3", "ogg", "opus", "m4a", "aiff"]


def test_outputs_are_those_of_the_program(recordings, tmp_path, program):
    sources = sorted(recordings.iterdir())[:7]
    assert len(sources) == 7
    for format in FORMATS:
        command = [program, *map(str, sources), str(tmp_path / format), "--ratio", "1.3", "--format", format, "-q"]
        subprocess.run([*command, "--upper-freq", "300"], check=True, timeout=120)
        for source in sources:
            target = tmp_path / f"one.{format}"
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AudioWarning)
                stretch_audio(source, target, 1.3, upper_freq=300)
            assert target.read_bytes() == (tmp_path / format / f"{source.stem}.{format}").read_bytes(), (source, format)


def test_the_class_writes_what_the_function_writes(talk, tmp_path):
    stretch_audio(talk, tmp_path / "a.flac", ratio=1.3)
    audio = AudioStretch()
    audio.open(talk)
    # Looking at the samples changes nothing.
    assert audio.samples.dtype == numpy.float32
    audio.stretch(ratio=1.3)
    assert audio.samples.shape[0] == audio.num_channels
    audio.save(tmp_path / "b.flac")
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()


def test_samples_are_read_changed_and_replaced(tmp_path):
    audio = AudioStretch()
    assert audio.samples is None and audio.samplerate is None and audio.num_channels is None
    with pytest.raises(ValueError, match="open"):
        audio.stretch(ratio=1.2)
    tone = numpy.sin(numpy.arange(44100) * 0.05).astype(numpy.float32)
    source = io.BytesIO()
    with pytest.raises(ValueError, match="open"):
        audio.samples = tone
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=1", "-ac", "2", tmp_path / "a.wav"], check=True)
    audio.open(tmp_path / "a.wav")
    assert audio.samples.shape == (2, 44100) and audio.samplerate == 44100
    audio.samples *= 0.5
    audio.samples[1] = tone
    audio.save(file=source, format="wav")
    again = AudioStretch()
    again.open(file=io.BytesIO(source.getvalue()))
    assert numpy.allclose(again.samples[1], tone, atol=1e-4)
    assert numpy.abs(again.samples[0]).max() < 0.07
    again.samples = tone
    assert (again.num_channels, again.samples.shape) == (1, (1, 44100))
    again.samplerate = 22050
    again.save(tmp_path / "b.wav")
    audio.open(tmp_path / "b.wav")
    assert audio.samplerate == 22050
    for wrong in (numpy.zeros((9, 10)), numpy.zeros((2, 2, 2))):
        with pytest.raises(ValueError):
            audio.samples = wrong


def test_without_numpy_only_samples_are_missing(talk, tmp_path):
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from audiostretchy.stretch import AudioStretch\n"
        "a = AudioStretch(); a.open(sys.argv[1]); a.stretch(ratio=1.2); a.save(sys.argv[2])\n"
        "try: a.samples\n"
        "except ImportError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, talk, tmp_path / "o.wav"], capture_output=True, text=True, check=True)
    assert done.stdout == "samples needs numpy: install it with pip install numpy\n"


def test_an_input_may_be_its_own_output(recordings, tmp_path):
    path = recordings / "sea.wav"
    stretch_audio(path, tmp_path / "half.wav", ratio=0.5)
    stretch_audio(path, path, ratio=0.5)
    assert path.read_bytes() == (tmp_path / "half.wav").read_bytes()
    audio = AudioStretch()
    audio.open(path)
    audio.save(path)
    with pytest.raises(ValueError):
        stretch_audio(path, path, ratio=9)
    assert path.read_bytes() == (tmp_path / "half.wav").read_bytes()
    assert not [name for name in os.listdir(recordings) if name.endswith(".tmp")]


@pytest.mark.parametrize(
    "parameter, value, allowed",
    [
        ("ratio", float("nan"), "from 0.25 to 4"),
        ("upper_freq", -5, "a positive whole number"),
        ("sample_rate", 5, "from 8000 to 384000"),
        ("threshold_gap_db", 100.0, "from"),
    ],
)
def test_a_value_out_of_range_is_told_with_the_range(talk, tmp_path, parameter, value, allowed):
    with pytest.raises(ValueError) as caught:
        stretch_audio(talk, tmp_path / "out.wav", **{parameter: value})
    assert caught.value.parameter == parameter and allowed in caught.value.allowed
    assert not (tmp_path / "out.wav").exists()


def test_a_value_of_another_type_is_told_by_name(talk, tmp_path):
    for parameters, message in [
        ({"ratio": "fast"}, "ratio must be a number, not str"),
        ({"upper_freq": 333.5}, "upper_freq must be a whole number, not float"),
        ({"double_range": "yes"}, "double_range must be True or False, not str"),
    ]:
        with pytest.raises(TypeError, match=message):
            stretch_audio(talk, tmp_path / "out.wav", **parameters)
    # numpy's numbers are numbers.
    stretch_audio(os.fsencode(talk), tmp_path / "out.wav", numpy.float32(1.2), upper_freq=numpy.int64(300))


def test_errors_have_classes_numbers_and_names(recordings, talk, tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        stretch_audio("nothing.wav", tmp_path / "out.wav")
    assert (caught.value.errno, caught.value.filename) == (2, "nothing.wav")
    (tmp_path / "cut.wav").write_bytes((recordings / "sea.wav").read_bytes()[:50])
    with pytest.raises(audiostretchy.DamagedAudioError):
        stretch_audio(tmp_path / "cut.wav", tmp_path / "out.wav")
    (tmp_path / "text.wav").write_text("no audio" * 100)
    with pytest.raises(audiostretchy.UnsupportedAudioError):
        AudioStretch().open(tmp_path / "text.wav")
    with pytest.raises(ValueError, match="format"):
        stretch_audio(talk, tmp_path / "out.xyz")
    with pytest.raises(OSError) as caught:
        stretch_audio(talk, tmp_path / "text.wav/out.wav")
    assert caught.value.errno
    with pytest.raises(TypeError):
        AudioStretch().open(file=io.StringIO("text"))

    class Broken(io.BytesIO):
        def write(self, data):
            raise ZeroDivisionError

    audio = AudioStretch()
    audio.open(talk)
    with pytest.raises(ZeroDivisionError):
        audio.save(file=Broken(), format="wav")
    with pytest.raises(ValueError):
        audio.save(file=io.BytesIO(), format="doc")
    with pytest.raises(ValueError):
        audio.open()


def test_progress_is_told_and_may_break_off(recordings, tmp_path, long_file):
    told = []
    stretch_audio(recordings / "sea.wav", tmp_path / "out.wav", progress=lambda *now: told.append(now))
    assert told[-1][0] == told[-1][1] > 0

    def fail(*now):
        raise KeyError("enough")

    with pytest.raises(KeyError):
        stretch_audio(long_file, tmp_path / "gone.wav", ratio=1.5, progress=fail)
    assert not (tmp_path / "gone.wav").exists()


def test_ctrl_c_interrupts_at_once(tmp_path, long_file):
    calls = [
        f"stretch_audio({str(long_file)!r}, 'out.mp3', ratio=1.3)",
        f"AudioStretch().open({str(long_file)!r})",
        f"audiostretchy.batch({str(long_file)!r}, 'out', ratio=1.3, format='mp3')",
    ]
    for call in calls:
        code = (
            "import audiostretchy, sys\nfrom audiostretchy import *\n"
            f"print('go', flush=True)\ntry: {call}\n"
            "except KeyboardInterrupt: sys.exit(7)\n"
        )
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=tmp_path)
        child.stdout.readline()
        time.sleep(0.4)
        asked = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=20) == 7, call
        # Far less than the rest of the work, also on a machine that is busy.
        assert time.monotonic() - asked < 6.0, call
        assert not (tmp_path / "out.mp3").exists()


def test_a_batch_returns_its_report(recordings, tmp_path):
    (recordings / "bad.mp3").write_text("no audio")
    events = []
    report = audiostretchy.batch(
        recordings, tmp_path / "out", preset="speech", speed=1.5, format="flac", jobs=2, on_event=events.append
    )
    count = len(list(recordings.iterdir()))
    assert report["counts"]["done"] == count - 1 and report["counts"]["failed"] == 1
    assert [event["event"] for event in events][:: len(events) - 1] == ["run-started", "run-finished"]
    assert sum(event["event"] == "file-finished" for event in events) == count
    again = audiostretchy.batch([str(recordings)], tmp_path / "out", preset="speech", speed=1.5, format="flac")
    assert again["counts"]["done"] == 0 and again["counts"]["skipped"] == count - 1
    preset = tmp_path / "mine.toml"
    preset.write_text('extends = "music"\nratio = 0.9\n')
    one = audiostretchy.batch(recordings / "sea.wav", tmp_path / "mine.wav", preset=preset)
    assert one["counts"]["done"] == 1
    for wrong in ({"ration": 2}, {"ratio": 9}, {"preset": "nothing"}, {"if_exists": "maybe"}, {"jobs": -1}):
        with pytest.raises(ValueError):
            audiostretchy.batch(recordings, tmp_path / "no", **wrong)
    with pytest.raises(FileNotFoundError):
        audiostretchy.batch("missing", tmp_path / "no")


def test_the_program_is_the_program(talk, tmp_path, program, long_file):
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["audiostretchy", audiostretchy.__version__]
    wrong = subprocess.run([program, "in", "out", "--rati", "2"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "--ratio" in wrong.stderr
    subprocess.run([sys.executable, "-m", "audiostretchy", talk, tmp_path / "o.wav", "--speed", "2", "--report", tmp_path / "r.json"], check=True)
    assert json.loads((tmp_path / "r.json").read_text())["counts"]["done"] == 1
    child = subprocess.Popen([program, long_file, tmp_path / "long.mp3", "--speed", "1.2", "--engine", "adaptive"], stderr=subprocess.PIPE)
    time.sleep(1)
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGINT)
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=20) == 130
    assert not (tmp_path / "long.mp3").exists()


def test_a_users_file_passes_a_strict_type_checker(tmp_path):
    user = tmp_path / "user.py"
    user.write_text(
        "from pathlib import Path\n"
        "from io import BytesIO\n"
        "import audiostretchy\n"
        "from audiostretchy.stretch import AudioStretch, stretch_audio\n"
        "def work(path: Path) -> float:\n"
        "    stretch_audio(path, 'out.wav', ratio=1.2, progress=lambda done, total: None)\n"
        "    audio = AudioStretch()\n"
        "    audio.open(file=BytesIO(path.read_bytes()), format='mp3')\n"
        "    samples = audio.samples\n"
        "    assert samples is not None\n"
        "    audio.samples = samples * 0.5\n"
        "    audio.save(file=BytesIO(), format='wav')\n"
        "    report = audiostretchy.batch([path], 'out', preset='speech', speed=1.5)\n"
        "    print(report['counts'])\n"
        "    return audiostretchy.estimate(path).processing_seconds\n"
    )
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from audiostretchy import stretch_audio\nstretch_audio('a', 'b', ratio='fast')\n")
    check = lambda path: subprocess.run([sys.executable, "-m", "mypy", "--strict", path], cwd=tmp_path, capture_output=True, text=True)
    good = check(user)
    assert good.returncode == 0, good.stdout
    assert "arg-type" in check(wrong).stdout


def test_the_stub_is_what_the_native_module_has():
    command = [sys.executable, "-m", "mypy.stubtest", "audiostretchy._audiostretchy"]
    checked = subprocess.run(command, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
