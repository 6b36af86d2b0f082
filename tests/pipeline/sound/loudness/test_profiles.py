"""Profiles of loudness are there, or a person's own."""

import pytest

from models.errors import UsageError
from pipeline.sound.loudness.profiles import built_in, profile_named, read_profiles


def test_there_are_four() -> None:
    assert list(built_in()) == ["podcast", "ebu", "effects", "off"]
    assert read_profiles([], kbps=96)["podcast"].kbps == 96


def test_an_own_one_says_what_differs_from_podcast() -> None:
    profiles = read_profiles(["loud: integrated=-14, true_peak=-1, codec=opus, kbps=96", "raw:copied"])

    assert profiles["loud"].codec == "opus"
    assert (profiles["loud"].integrated, profiles["loud"].true_peak, profiles["loud"].range) == (-14, -1, None)
    assert profiles["raw"].is_copied


def test_one_that_there_is_may_be_changed() -> None:
    ebu = read_profiles(["ebu:range=keep,codec=m4a"])["ebu"]

    assert (ebu.integrated, ebu.range, ebu.codec) == (-23, None, "m4a")
    assert read_profiles(["off:copied=no,kbps=64"])["off"].is_copied is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with a name"),
        ("a b:kbps=64", "begins with a name"),
        ("../x:kbps=64", "begins with a name"),
        ("x" * 41, "begins with a name"),
        ("own:kbps=lots", "profile own: kbps is a number, not 'lots'"),
        ("own:integrated", "integrated is a number, not None"),
        ("own:integrated=nan", "integrated is from -70 to -5, not nan"),
        ("own:integrated=-2", "integrated is from -70 to -5, not -2"),
        ("own:true_peak=3", "true_peak is from -9 to 0"),
        ("own:range=0.2", "range is from 1 to 50"),
        ("own:kbps=1000", "kbps is from 32 to 320"),
        ("own:codec=wma", "codec is one of mp3, m4a, opus, not 'wma'"),
        ("own:colour=red", "'colour' is not known; it may say integrated"),
    ],
)
def test_a_mistake_is_named(text: str, words: str) -> None:
    with pytest.raises(UsageError) as mistake:
        read_profiles([text])
    assert words in str(mistake.value)


def test_one_that_there_is_not_is_answered_with_those_that_there_are() -> None:
    assert profile_named(built_in(), "ebu").name == "ebu"
    with pytest.raises(UsageError, match="no profile 'loud'; there are podcast, ebu, effects, off"):
        profile_named(built_in(), "loud")
