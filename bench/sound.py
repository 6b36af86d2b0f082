"""Loudness: ten minutes that sound like speech, beside ffmpeg's loudnorm twice and beside ffmpeg-normalize.

    uv run --frozen --with ffmpeg-normalize python bench/sound.py [SECONDS] [--tiny]

The sound is made by ffmpeg: stereo noise whose level goes like words and sentences, as AAC at 160 kbit/s. All bring it
to -23 LUFS and -2 dBTP as mp3 at 128 kbit/s, by the same ffmpeg, within one run, in seconds of CPU with all that they
start. Ours measures before and after. `linear` keeps the range, `dynamic` has 7 LU of it, as loudnorm twice and
ffmpeg-normalize have; `off` copies. ffmpeg-normalize is left out where it is not installed.
The last line is wall clock: ours beside the same three commands of ffmpeg, run bare one after the other.
Goals: 0.35, 0.70 and 0.03 of loudnorm twice, and 1.10 of the bare commands.
"""

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

# A script's own folder comes first on the path, where bench/feeds.py would hide the package of that name.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.databases import Servers
from bench.results import Result, as_long, bounded
from bench.running import Size, run_alone
from pipeline.sound.loudness.deciding import decide
from pipeline.sound.loudness.filters import changing, measuring
from pipeline.sound.loudness.profiles import read_profiles
from pipeline.sound.media.ffmpeg import Ffmpeg, find_ffmpeg
from pipeline.sound.records import Mode, Profile, Rendered
from pipeline.sound.rendering.render import measure, render

CHANNEL = (
    "anoisesrc=color=pink:seed={seed}:duration={seconds}:sample_rate=48000,"
    "volume='0.4*(0.1+0.9*abs(sin(2*PI*t*1.7)))*(0.15+0.85*abs(sin(2*PI*t/31)))*lt(mod(t,4),3.4)':eval=frame"
)
TARGET = "loudnorm=I=-23:TP=-2:LRA=7"
# Profiles, what becomes of them, and the most CPU that they may take, in parts of loudnorm's twice.
WAYS: Sequence[tuple[str, Mode, float]] = (("kept", "linear", 0.35), ("ebu", "dynamic", 0.70), ("off", "copied", 0.03))
MP3 = ("-ar", "48000", "-c:a", "libmp3lame", "-b:a", "128k", "-f", "mp3")


@dataclass(frozen=True)
class Sound(Size):
    """How many seconds the sound has."""

    seconds: int


FULL = Sound(seconds=600)
TINY = Sound(seconds=20)


def run(_servers: Servers, size: Sound) -> Sequence[Result]:
    profiles = read_profiles(["kept:integrated=-23,true_peak=-2"])
    ffmpeg = find_ffmpeg()
    with tempfile.TemporaryDirectory(prefix="bench-sound-") as name:
        folder = Path(name)
        original = _make(ffmpeg, folder / "original.m4a", size.seconds)
        twice = _cpu(lambda: _loudnorm_twice(ffmpeg, original, folder / "twice.mp3"))
        results = [_beside(ffmpeg, original, profiles[profile], mode, twice, most) for profile, mode, most in WAYS]
        if normalize := shutil.which("ffmpeg-normalize"):
            other = _cpu(lambda: _normalize(ffmpeg, normalize, original, folder / "other.mp3"))
            results.append(as_long("ffmpeg-normalize", other, twice, "loudnorm twice"))
        else:
            print("ffmpeg-normalize is not installed, and left out")
        results.append(_around(ffmpeg, original, profiles["kept"]))
        speed = size.seconds / _cpu(lambda: measure(ffmpeg, original))
        results.append(bounded("measuring", speed, "times real time"))
    return results


def _beside(ffmpeg: Ffmpeg, original: Path, profile: Profile, mode: Mode, twice: float, most: float) -> Result:
    to = original.with_name("rendition")
    made: list[Rendered] = []
    seconds = _cpu(lambda: made.append(render(ffmpeg, original, profile, to)))
    rendered = made[0]
    assert rendered.mode == mode, rendered
    assert rendered.note is None, rendered.note
    print(f"{mode}: {rendered.before} -> {rendered.after}")
    # A sound of seconds is mostly the start of programs.
    is_full = rendered.seconds > 300
    return as_long(mode, seconds, twice, "loudnorm twice", most=most if is_full else None)


def _around(ffmpeg: Ffmpeg, original: Path, profile: Profile) -> Result:
    """Return the wall clock of a rendering beside that of its three commands."""
    measured = measure(ffmpeg, original)
    filters = changing(decide(profile, measured), measured.loudness, profile, 2)
    to = original.with_name("bare.mp3")

    def bare() -> None:
        for path, arguments in (
            (original, ("-af", measuring(2), "-f", "null", "-")),
            (original, ("-af", filters, *MP3, f"{to}")),
            (to, ("-af", measuring(2), "-f", "null", "-")),
        ):
            _run(ffmpeg, ["-i", f"{path}", *arguments])

    theirs = _wall(bare)
    ours = _wall(lambda: render(ffmpeg, original, profile, to.with_name("ours")))
    return as_long("wall clock", ours, theirs, "the same commands", most=1.1 if measured.seconds > 300 else None)


def _make(ffmpeg: Ffmpeg, to: Path, seconds: int) -> Path:
    left, right = (CHANNEL.format(seed=seed, seconds=seconds) for seed in (1, 2))
    _run(
        ffmpeg, ["-f", "lavfi", "-i", f"{left}[a];{right}[b];[a][b]join=channel_layout=stereo", "-b:a", "160k", f"{to}"]
    )
    return to


def _loudnorm_twice(ffmpeg: Ffmpeg, original: Path, to: Path) -> None:
    """Do what the manuals say: measure by loudnorm, then give it its own figures."""
    text = _run(ffmpeg, ["-i", f"{original}", "-af", f"{TARGET}:print_format=json", "-f", "null", "-"])
    figures = json.loads(re.findall(r"\{[^{}]*\}", text)[-1])
    measured = ":".join(
        f"measured_{name}={figures[f'input_{field}']}"
        for name, field in (("I", "i"), ("TP", "tp"), ("LRA", "lra"), ("thresh", "thresh"))
    )
    _run(ffmpeg, ["-i", f"{original}", "-af", f"{TARGET}:{measured}:offset={figures['target_offset']}", *MP3, f"{to}"])


def _normalize(ffmpeg: Ffmpeg, program: str, original: Path, to: Path) -> None:
    command = [
        program,
        str(original),
        "-nt",
        "ebu",
        "-t",
        "-23",
        "-tp",
        "-2",
        "-lrt",
        "7",
        "-c:a",
        "libmp3lame",
        "-b:a",
        "128k",
    ]
    environment = os.environ | {"FFMPEG_PATH": str(ffmpeg.path)}
    subprocess.run([*command, "-ar", "48000", "-f", "-o", str(to)], check=True, env=environment, capture_output=True)


def _run(ffmpeg: Ffmpeg, arguments: Sequence[str]) -> str:
    command = [str(ffmpeg.path), "-nostdin", "-hide_banner", "-nostats", "-y", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def _cpu(work: Callable[[], object]) -> float:
    """Return the seconds of CPU that some work takes, with all programs that it starts."""
    before = _used()
    work()
    return _used() - before


def _used() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _wall(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(run_alone(run, FULL, TINY))
