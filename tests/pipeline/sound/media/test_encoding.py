"""What a profile asks for becomes arguments of ffmpeg."""

import msgspec
import pytest

from pipeline.sound.media.encoding import encoding_of, encoding_of_copy
from pipeline.sound.media.saying import Media
from pipeline.sound.records import Codec, Profile

STEREO = Media(
    format="wav",
    seconds=5,
    codec="pcm_s16le",
    sample_rate=48000,
    channels=2,
    kbps=None,
    has_video=False,
    has_cover=False,
)
MONO = msgspec.structs.replace(STEREO, channels=1)


@pytest.mark.parametrize(
    ("codec", "encoder", "takes_cover"), [("mp3", "libmp3lame", True), ("m4a", "aac", True), ("opus", "libopus", False)]
)
def test_each_codec_has_its_encoder_and_one_channel_half_the_rate(
    codec: Codec, encoder: str, takes_cover: bool
) -> None:
    profile = Profile(name="own", codec=codec, kbps=128)

    encoding = encoding_of(profile, STEREO)

    assert (encoding.ending, encoding.kbps, encoding.takes_cover) == (codec, 128, takes_cover)
    assert encoding.arguments[:4] == ("-c:a", encoder, "-b:a", "128k")
    assert encoding_of(profile, MONO).kbps == 64


@pytest.mark.parametrize(
    ("codec", "ending"),
    [
        ("mp3", "mp3"),
        ("aac", "m4a"),
        ("opus", "opus"),
        ("vorbis", "ogg"),
        ("flac", "flac"),
        ("pcm_u8", "wav"),
        ("wma", "mka"),
    ],
)
def test_a_copy_is_put_where_players_take_it(codec: str, ending: str) -> None:
    encoding = encoding_of_copy(msgspec.structs.replace(STEREO, codec=codec))

    assert encoding.ending == ending
    assert encoding.arguments[:2] == ("-c:a", "copy")
    assert encoding.kbps is None
