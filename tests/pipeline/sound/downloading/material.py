"""Small sounds, made by the real ffmpeg: a tone for each frequency."""

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg


@cache
def tone(seconds: float = 3, hertz: int = 440, extension: str = "m4a") -> bytes:
    """Return the file of a tone; the same one each time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"tone.{extension}"
        source = f"sine=frequency={hertz}:duration={seconds}:sample_rate=48000"
        subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", source, "-fflags", "+bitexact", path],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return path.read_bytes()


def packets(number: int, count: int = 400) -> bytes:
    """Return a part of a stream: MPEG-TS packets that no other part has."""
    return b"".join(bytes([0x47, number & 0xFF, each & 0xFF]) + bytes(185) for each in range(count))
