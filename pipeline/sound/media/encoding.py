"""Says how ffmpeg writes what a profile asks for: encoder, container and bitrate. Pure."""

from collections.abc import Mapping

import msgspec

from pipeline.sound.media.saying import Media
from pipeline.sound.records import Profile

# An encoder's least and most for a channel, in kbit/s.
_LEAST, _MOST = 16, 160
_ID3 = ("-id3v2_version", "3", "-write_id3v1", "0", "-f", "mp3")
# The index before the sound, so that a player begins with the first bytes.
_MP4 = ("-movflags", "+faststart", "-f", "ipod")


class Encoding(msgspec.Struct, frozen=True, kw_only=True):
    """How a rendition is written: the ending of its file, the arguments of ffmpeg, kbit/s, and how a cover fits in.

    It is a stream of its own, or in Ogg a comment.
    """

    ending: str
    arguments: tuple[str, ...]
    kbps: int | None = None
    takes_cover: bool = False
    takes_cover_as_comment: bool = False


_OGG = frozenset({"opus", "ogg"})
# What plays a stream without encoding it, by its codec: the ending, the container, and whether a cover fits in.
_COPIES: Mapping[str, tuple[str, tuple[str, ...], bool]] = {
    "mp3": ("mp3", _ID3, True),
    "aac": ("m4a", _MP4, True),
    "alac": ("m4a", _MP4, True),
    "opus": ("opus", ("-f", "opus"), False),
    "vorbis": ("ogg", ("-f", "ogg"), False),
    "flac": ("flac", ("-f", "flac"), True),
}


def encoding_of(profile: Profile, media: Media) -> Encoding:
    """Return how a profile is written for a file; one channel gets half of the bitrate."""
    kbps = profile.kbps if media.channels != 1 else profile.kbps // 2
    kbps = min(max(kbps, _LEAST), _MOST if media.channels == 1 else 2 * _MOST)
    rate = ("-b:a", f"{kbps}k")
    match profile.codec:
        case "mp3":
            return Encoding(ending="mp3", arguments=("-c:a", "libmp3lame", *rate, *_ID3), kbps=kbps, takes_cover=True)
        case "m4a":
            return Encoding(ending="m4a", arguments=("-c:a", "aac", *rate, *_MP4), kbps=kbps, takes_cover=True)
        case "opus":
            arguments = ("-c:a", "libopus", *rate, "-f", "opus")
            return Encoding(ending="opus", arguments=arguments, kbps=kbps, takes_cover_as_comment=True)


def encoding_of_copy(media: Media) -> Encoding:
    """Return how a file is written as it is; what no player takes from a feed goes into a WAV or Matroska file."""
    if media.codec.startswith("pcm_"):
        return Encoding(ending="wav", arguments=("-c:a", "copy", "-f", "wav"))
    ending, container, takes_cover = _COPIES.get(media.codec, ("mka", ("-f", "matroska"), False))
    return Encoding(
        ending=ending,
        arguments=("-c:a", "copy", *container),
        takes_cover=takes_cover,
        takes_cover_as_comment=ending in _OGG,
    )
