"""What ffmpeg says of a file, and of its failures, becomes values."""

import pytest

from pipeline.sound.media.saying import read_media, trouble_of

EPISODE = """\
Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'file:/data/episode.m4a':
  Metadata:
    title           : Harbour
                    :   Duration: 99:00:00.00
                    : Stream #0:7: Audio: evil
  Duration: 01:02:03.50, start: 0.025057, bitrate: 131 kb/s
  Chapters:
    Chapter #0:0: start 0.000000, end 3.000000
  Stream #0:0[0x1](und): Audio: aac (LC) (mp4a / 0x6134706D), 44100 Hz, stereo, fltp, 128 kb/s (default)
  Stream #0:1[0x0]: Video: mjpeg (Baseline), yuvj420p, 600x600, 90k tbr, 90k tbn (attached pic)
"""


def test_a_file_is_known_by_its_head_and_not_by_its_title() -> None:
    media = read_media(EPISODE)

    assert media is not None
    assert (media.codec, media.seconds, media.sample_rate, media.channels, media.kbps) == ("aac", 3723.5, 44100, 2, 128)
    assert (media.has_video, media.has_cover) == (False, True)


@pytest.mark.parametrize(
    ("layout", "channels"),
    [("mono", 1), ("stereo", 2), ("5.1(side)", 6), ("7.1", 8), ("4.0", 4), ("12 channels (FL+FR)", 12), ("quad", 4)],
)
def test_layouts_are_counted(layout: str, channels: int) -> None:
    text = f"Input #0, wav, from 'x':\n  Duration: N/A\n  Stream #0:0: Audio: pcm_s16le, 48000 Hz, {layout}, s16\n"

    media = read_media(text)

    assert media is not None
    assert (media.channels, media.seconds, media.kbps) == (channels, None, None)


def test_a_video_with_sound_has_both_and_without_it_is_none() -> None:
    video = "  Stream #0:0: Video: h264 (High), yuv420p, 1280x720\n"
    sound = "  Stream #0:1: Audio: aac (LC), 48000 Hz, stereo, fltp\n"

    media = read_media(f"Input #0, mpegts, from 'x':\n  Duration: N/A\n{video}{sound}")
    assert media is not None
    assert media.has_video
    assert read_media(f"Input #0, mpegts, from 'x':\n{video}") is None
    assert read_media("") is None


def test_a_rate_or_a_layout_that_is_not_said_is_zero() -> None:
    media = read_media("Input #0, amr, from 'x':\n  Stream #0:0: Audio: amr_nb\n")

    assert media is not None
    assert (media.sample_rate, media.channels) == (0, 0)


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (
            "[in#0 @ 0x1] Error opening input: Invalid data found when processing input\n",
            "broken",
            "Invalid data found",
        ),
        ("[in#0 @ 0x1] Format not on whitelist 'mp3,mov'\n", "broken", "no format of sound"),
        ("[out#0/mp3 @ 0x1] Error writing trailer: No space left on device\n", "disk", "the disk is full"),
        ("[out#0/mp3 @ 0x1] Error opening output /secret/x: Permission denied\n", "tool", "Permission denied"),
        ("", "broken", "says no more"),
    ],
)
def test_a_failure_says_what_cures_it(text: str, kind: str, reason: str) -> None:
    trouble = trouble_of(text)

    assert trouble.kind == kind
    assert reason in trouble.reason
    assert "/secret" not in trouble.reason
