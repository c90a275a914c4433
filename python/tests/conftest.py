import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RECORDINGS = Path(__file__).parents[2] / "tests/data/recordings"


@pytest.fixture
def recordings(tmp_path):
    """A folder with copies of the shipped recordings, all in one."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for path in RECORDINGS.rglob("*"):
        if path.is_file() and path.suffix in {".wav", ".mp3", ".flac", ".ogg", ".m4a", ".opus", ".aiff"}:
            shutil.copy(path, folder / path.name)
    return folder


@pytest.fixture
def talk(recordings):
    """One of the recordings, an MP3."""
    return recordings / "lighthouse.mp3"


@pytest.fixture
def seconds():
    """A function that tells how long a file lasts, as ffprobe sees it."""

    def seconds(path):
        args = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
        return float(subprocess.check_output(["ffprobe", *args]))

    return seconds


@pytest.fixture
def program():
    """The program that the package has brought."""
    return str(Path(sys.executable).with_name("audiostretchy"))


@pytest.fixture(scope="session")
def long_file(tmp_path_factory):
    """Noise of 25 minutes, which takes a while."""
    path = tmp_path_factory.mktemp("long") / "long.flac"
    args = ["-v", "error", "-f", "lavfi", "-i", "anoisesrc=d=1500:r=44100", "-ac", "2", "-compression_level", "0"]
    subprocess.run(["ffmpeg", *args, path], check=True)
    return path
