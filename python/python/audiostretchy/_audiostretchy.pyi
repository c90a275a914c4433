import os
from typing import Any, Callable, final, Optional

__all__ = [
    "Audio",
    "DamagedAudioError",
    "UnsupportedAudioError",
    "__version__",
    "batch",
    "estimate",
    "main",
    "stretch_audio",
]

_Parameters = tuple[float, float, int, int, float, float, bool, bool, bool, int]

__version__: str

class DamagedAudioError(RuntimeError): ...
class UnsupportedAudioError(RuntimeError): ...

@final
class Audio:
    @staticmethod
    def open(path: str, hint: Optional[str]) -> Audio: ...
    @staticmethod
    def open_file(file: Any, hint: Optional[str]) -> Audio: ...
    def stretch(self, options: _Parameters) -> None: ...
    def resample(self, sample_rate: int) -> None: ...
    def save(self, path: str, format: Optional[str]) -> list[str]: ...
    def save_file(self, file: Any, format: Optional[str]) -> list[str]: ...
    def samples(self) -> bytearray: ...
    def set_samples(self, planar: bytes, channels: int) -> None: ...
    sample_rate: int
    @property
    def channels(self) -> int: ...
    def warnings(self) -> list[str]: ...

def stretch_audio(
    input: str,
    output: str,
    options: _Parameters,
    progress: Optional[Callable[[int, Optional[int]], object]],
) -> list[str]: ...
def estimate(input: str, options: _Parameters) -> tuple[float, float, float]: ...
def batch(
    inputs: list[str],
    output: str,
    preset: Optional[str],
    jobs: int,
    on_event: Optional[Callable[[bytes], object]],
    if_exists: str,
    settings: dict[str, Any],
) -> bytes: ...
def main(command_line: list[str]) -> int: ...
