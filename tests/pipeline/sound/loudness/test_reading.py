"""The summary of ebur128 becomes figures, whatever a title says."""

from pipeline.sound.loudness.reading import read_ebur128
from pipeline.sound.records import Loudness

SUMMARY = """\
[Parsed_ebur128_1 @ 0x7f9378002380] Summary:

  Integrated loudness:
    I:         {integrated} LUFS
    Threshold: {threshold} LUFS

  Loudness range:
    LRA:         {range} LU
    Threshold: -48.0 LUFS
    LRA low:   -37.0 LUFS
    LRA high:  -30.0 LUFS

  True peak:
    Peak:      {peak} dBFS
[out#0/null @ 0x5557c8dcd700] video:0KiB audio:188KiB
"""


def said(integrated: str = "-32.0", peak: str = "-16.6", loudness_range: str = "11.9", threshold: str = "-42.0") -> str:
    return SUMMARY.format(integrated=integrated, peak=peak, range=loudness_range, threshold=threshold)


def test_a_summary_is_read() -> None:
    assert read_ebur128(said()) == Loudness(integrated=-32.0, true_peak=-16.6, range=11.9, threshold=-42.0)


def test_the_gate_is_no_loudness_and_silence_has_no_peak() -> None:
    quiet = read_ebur128(said(integrated="-70.0", peak="-83.6", loudness_range="0.0", threshold="-70.0"))
    assert quiet == Loudness(integrated=None, true_peak=-83.6, range=None, threshold=None)

    silent = read_ebur128(said(integrated="-70.0", peak="-inf"))
    assert silent is not None
    assert silent.true_peak is None


def test_what_is_no_number_is_none() -> None:
    assert read_ebur128(said(integrated="nan", peak="nan")) == Loudness(
        integrated=None, true_peak=None, range=None, threshold=None
    )


def test_without_a_summary_nothing_is_known() -> None:
    assert read_ebur128("") is None
    assert read_ebur128("    title : [Parsed_ebur128_1 @ 0x0] Summary:\n    I: -5.0 LUFS\n") is None


def test_the_last_summary_counts() -> None:
    loudness = read_ebur128(said() + said(integrated="-20.0"))
    assert loudness is not None
    assert loudness.integrated == -20.0
