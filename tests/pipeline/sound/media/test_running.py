"""ffmpeg is run on local files alone, ends in time, and is not left behind."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.sound.media.ffmpeg import Ffmpeg
from pipeline.sound.media.inspecting import inspect
from pipeline.sound.media.running import LOCAL, MediaFailed, run
from tests.pipeline.sound.audio import make, sine
from tests.waiting import processes_with, wait_for

ENDLESS = ("-f", "lavfi", "-i", "anullsrc", "-f", "null", "-")
LONG = timedelta(minutes=2)


def endless(marker: str) -> list[str]:
    return [*ENDLESS[:-3], "-metadata", f"comment={marker}", *ENDLESS[-3:]]


def test_what_it_says_and_how_much_it_made_comes_back(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    path = make(tmp_path / "tone.wav", sine(2))
    heard: list[float] = []

    answer = run(ffmpeg.path, [*LOCAL, "-i", f"file:{path}", "-f", "null", "-"], limit=LONG, on_progress=heard.append)

    assert answer.seconds == pytest.approx(2, abs=0.05)
    assert "Input #0, wav" in answer.text
    assert heard[-1] == answer.seconds


def test_one_that_takes_too_long_is_ended(ffmpeg: Ffmpeg) -> None:
    marker = f"slow-{os.getpid()}"
    with pytest.raises(MediaFailed, match="not done within"):
        run(ffmpeg.path, endless(marker), limit=timedelta(seconds=0.5))
    assert not processes_with(marker)


def test_what_hears_of_the_progress_may_end_it(ffmpeg: Ffmpeg) -> None:
    marker = f"stopped-{os.getpid()}"

    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(ffmpeg.path, endless(marker), limit=LONG, on_progress=stop)
    assert not processes_with(marker)


def test_a_kill_may_pass(ffmpeg: Ffmpeg) -> None:
    marker = f"killed-{os.getpid()}"

    def kill(_seconds: float) -> None:
        for pid in processes_with(marker):
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(MediaFailed, match="SIGKILL") as failure:
        run(ffmpeg.path, endless(marker), limit=LONG, on_progress=kill)
    assert failure.value.is_passing


def test_it_dies_with_its_caller(ffmpeg: Ffmpeg) -> None:
    marker = f"orphan-{os.getpid()}"
    caller = os.fork()
    if caller == 0:
        try:
            run(ffmpeg.path, endless(marker), limit=LONG)
        finally:
            os._exit(1)
    wait_for(lambda: processes_with(marker))
    os.kill(caller, signal.SIGKILL)
    os.waitpid(caller, 0)
    wait_for(lambda: not processes_with(marker))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaFailed, match=r"cannot run .*nothing") as failure:
        run(tmp_path / "nothing", [], limit=LONG)
    assert failure.value.trouble.kind == "tool"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.mp3", b"<!DOCTYPE html><html><body>Not here</body></html>"),
        ("empty.mp3", b""),
        ("noise.m4a", bytes(range(256)) * 40),
        # Both would lead to another file of this machine.
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\ntone.wav\n#EXT-X-ENDLIST\n"),
        ("list.mp3", b"ffconcat version 1.0\nfile tone.wav\n"),
        ("tone.sdp", b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"),
    ],
)
def test_what_is_no_file_of_sound_is_broken(ffmpeg: Ffmpeg, tmp_path: Path, name: str, content: bytes) -> None:
    make(tmp_path / "tone.wav", sine(0.5))
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(MediaFailed) as failure:
        inspect(ffmpeg, path)

    assert failure.value.trouble.kind == "broken"
    assert str(tmp_path) not in str(failure.value)
