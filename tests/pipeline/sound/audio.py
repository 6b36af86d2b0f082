"""Sounds made by ffmpeg itself, for tests: nothing is recorded, and each takes a moment."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from pipeline.sound.media.ffmpeg import find_ffmpeg

# Speech as a meter hears it: noise whose level goes up and down like words and sentences, with breaths between.
SPEECH = (
    "anoisesrc=color=pink:seed={seed}:duration={seconds}:sample_rate=48000,"
    "volume='{level}*(0.15+0.85*abs(sin(2*PI*t*1.7)))*(0.3+0.7*abs(sin(2*PI*t/7)))*lt(mod(t,4),3.4)':eval=frame"
)


def speech(seconds: float, *, level: float = 0.5, seed: int = 1) -> str:
    """Return a source that sounds like speech to a meter."""
    return SPEECH.format(seconds=seconds, level=level, seed=seed)


def make(to: Path, source: str, *options: str) -> Path:
    """Write a file from a source of ffmpeg's lavfi, in the format that its name says."""
    subprocess.run(
        [find_ffmpeg().path, "-nostdin", "-v", "error", "-f", "lavfi", "-i", source, *options, "-y", to],
        check=True,
        timeout=120,
    )
    return to


_SINE = "sine=frequency={hz}:duration={seconds}:sample_rate={rate}"


def sine(seconds: float, hz: int = 440, rate: int = 48000) -> str:
    return _SINE.format(seconds=seconds, hz=hz, rate=rate)


# Fifty sounds of all kinds, by name: a source, and what else ffmpeg is given.
FIFTY: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # Nothing to hear, or nearly.
    "silence.wav": ("anullsrc=r=48000:cl=stereo:d=5", ()),
    "silence_mono.mp3": ("anullsrc=r=44100:cl=mono:d=4", ()),
    "silence_short.wav": ("anullsrc=r=48000:cl=mono:d=0.3", ()),
    "digital_dither.wav": ("anoisesrc=a=0.00003:d=5:seed=3", ("-c:a", "pcm_s16le")),
    "minus_60.wav": (f"{speech(8)},volume=-60dB", ("-c:a", "pcm_s24le")),
    "minus_60.flac": (f"{sine(5)},volume=-38dB", ("-c:a", "flac", "-sample_fmt", "s32")),
    "minus_45.m4a": (f"{speech(8, seed=2)},volume=-30dB", ()),
    # Short ones.
    "tone_0.2.wav": (sine(0.2), ()),
    "tone_0.2_stereo.mp3": (sine(0.2), ("-ac", "2")),
    "click.wav": ("aevalsrc='0.9*exp(-t*400)*sin(2*PI*2000*t)':d=0.05", ()),
    "beep_0.01.wav": (sine(0.01, 1000), ()),
    "bang_0.5.wav": ("anoisesrc=d=0.5:seed=4,volume='exp(-t*12)':eval=frame", ()),
    "jingle_1.ogg": (f"{sine(1, 660)},tremolo=f=8", ("-c:a", "libvorbis")),
    "jingle_2.m4a": (f"{sine(2, 880)},volume=0.05", ()),
    "word_0.8.opus": (speech(0.8, level=0.2, seed=5), ("-c:a", "libopus")),
    "loud_1.5.wav": ("anoisesrc=a=1:d=1.5:seed=6", ()),
    "gong_2.9.wav": (f"{sine(2.9, 220)},volume='4*exp(-t*2)':eval=frame", ()),
    "beep_and_pause.wav": (f"{sine(0.1)},apad=pad_dur=2", ()),
    # Around the border of three seconds.
    "three.wav": (speech(3.0, seed=7), ()),
    "three_and_a_bit.mp3": (speech(3.2, seed=8), ()),
    "bang_4.wav": ("anoisesrc=d=4:seed=9,volume='exp(-t*6)':eval=frame", ()),
    # Mono, and other rates.
    "mono.wav": (speech(8, seed=10), ("-ac", "1")),
    "mono.mp3": (speech(8, seed=11), ("-ac", "1", "-b:a", "48k")),
    "mono_8k.wav": (speech(8, seed=12), ("-ac", "1", "-ar", "8000")),
    "mono_22k.mp3": (speech(8, seed=13), ("-ac", "1", "-ar", "22050")),
    "rate_96k.flac": (
        speech(6, seed=14),
        (
            "-ar",
            "96000",
        ),
    ),
    "rate_44k.m4a": (speech(8, seed=15), ("-ar", "44100")),
    "rate_32k.ogg": (speech(8, seed=16), ("-ar", "32000", "-c:a", "libvorbis")),
    "eight_bit.wav": (speech(6, seed=17), ("-c:a", "pcm_u8")),
    "ulaw.wav": (speech(6, seed=18), ("-c:a", "pcm_mulaw", "-ar", "8000")),
    # More channels, and lopsided ones.
    "surround.flac": (f"{speech(8, seed=19)},pan=5.1|FL=c0|FR=c0|FC=c0|LFE=0.5*c0|BL=0.3*c0|BR=0.3*c0", ()),
    "surround.m4a": (f"{speech(8, seed=20)},pan=5.1|FL=c0|FR=0.5*c0|FC=c0|LFE=c0|BL=c0|BR=c0", ()),
    "seven_one.flac": (f"{speech(6, seed=21)},pan=7.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0|SL=c0|SR=c0", ()),
    "quad.wav": (f"{speech(6, seed=22)},pan=quad|FL=c0|FR=c0|BL=c0|BR=c0", ()),
    "left_only.mp3": (f"{speech(8, seed=23)},pan=stereo|FL=c0", ()),
    "opposite_phase.wav": (f"{speech(8, seed=24)},pan=stereo|FL=c0|FR=-1*c0", ()),
    # Clipped, crushed and full of peaks.
    "clipped.wav": (f"{speech(8, seed=25)},volume=30dB", ()),
    "clipped_sine.mp3": (f"{sine(6)},volume=40dB", ()),
    "square.wav": ("aevalsrc='0.99*sgn(sin(2*PI*300*t))':d=6", ()),
    "full_noise.mp3": ("anoisesrc=a=1:d=8:seed=26", ()),
    "peaky.wav": (f"{speech(10, level=0.05, seed=27)},aeval='val(0)+0.95*lt(mod(t,2),0.0005)'", ()),
    "one_peak.wav": (f"{speech(10, level=0.05, seed=28)},aeval='val(0)+0.95*between(t,5,5.0003)'", ()),
    "claps.mp3": ("anoisesrc=d=8:seed=29,volume='exp(-mod(t,1)*40)':eval=frame", ()),
    # Wide and narrow ranges.
    "whisper_and_shout.m4a": (f"{speech(20, seed=30)},volume='if(lt(mod(t,10),5),0.02,1)':eval=frame", ()),
    "crescendo.opus": (f"{speech(15, seed=31)},volume='t/15':eval=frame", ("-c:a", "libopus")),
    "late_start.mp3": (f"{speech(10, seed=32)},volume='gt(t,7)':eval=frame", ()),
    "steady.mp3": (sine(6), ("-ac", "2")),
    "deep.wav": (sine(6, 40), ()),
    "high.wav": (sine(6, 15000), ()),
    "long_speech.m4a": (speech(60, seed=33), ("-b:a", "160k", "-ac", "2")),
}
