"""The profiles of loudness: the ones that there always are, and a person's own. Pure."""

from collections.abc import Mapping, Sequence
from typing import cast, get_args

import msgspec

from models.errors import UsageError
from pipeline.sound.records import Codec, Profile

DEFAULT_KBPS = 128
_FIELDS = "integrated, true_peak, range, codec, kbps, copied"
_NAME_LENGTH = 40


def built_in(kbps: int = DEFAULT_KBPS) -> Mapping[str, Profile]:
    """Return the profiles that there always are, by name; `kbps` is for those of speech."""
    profiles = (
        # What Apple and Spotify ask of podcasts; the range of the original is kept.
        Profile(name="podcast", codec="mp3", kbps=kbps, integrated=-16, true_peak=-1.5),
        # EBU R 128, with a range that a car or a night bears.
        Profile(name="ebu", codec="mp3", kbps=kbps, integrated=-23, true_peak=-2, range=7),
        # Short sounds beside one another.
        Profile(name="effects", codec="mp3", kbps=max(kbps, 192), integrated=-16, true_peak=-1),
        # As it is, in a container that players take.
        Profile(name="off", codec="m4a", kbps=0, is_copied=True),
    )
    return {profile.name: profile for profile in profiles}


def read_profiles(texts: Sequence[str], kbps: int = DEFAULT_KBPS) -> Mapping[str, Profile]:
    """Return all profiles: those that there are, and own ones such as `loud:integrated=-14,codec=opus,kbps=96`.

    An own one begins as the one that it is called like, or as `podcast`. Raises `UsageError` naming what is wrong.
    """
    profiles = dict(built_in(kbps))
    for text in texts:
        profile = _read(text, profiles)
        profiles[profile.name] = profile
    return profiles


def profile_named(profiles: Mapping[str, Profile], name: str) -> Profile:
    """Return a profile by its name; raises `UsageError` with the names that there are."""
    if name not in profiles:
        raise UsageError(f"there is no profile {name!r}; there are {', '.join(profiles)}")
    return profiles[name]


def _read(text: str, profiles: Mapping[str, Profile]) -> Profile:
    name, _, fields = text.partition(":")
    name = name.strip()
    if (
        not name
        or len(name) > _NAME_LENGTH
        or not name.isascii()
        or not name.replace("-", "").replace("_", "").isalnum()
    ):
        raise UsageError(f"{text!r} is no profile: it begins with a name of letters, figures, - and _, and a colon")
    document = msgspec.to_builtins(profiles.get(name, profiles["podcast"])) | {"name": name}
    for part in filter(None, (part.strip() for part in fields.split(","))):
        field, separator, value = (piece.strip() for piece in part.partition("="))
        document |= _field(name, field, value if separator else None)
    return _sane(msgspec.convert(document, Profile))


def _field(name: str, field: str, value: str | None) -> dict[str, object]:
    """Return a field of a profile by its name here and its value as text."""
    if field == "copied" and value in {None, "yes", "no"}:
        return {"is_copied": value != "no"}
    if field == "codec" and value in get_args(Codec):
        return {"codec": cast("Codec", value)}
    try:
        if field == "kbps":
            return {"kbps": int(value or "")}
        if field == "range" and value in {"keep", "kept"}:
            return {"range": None}
        if field in {"integrated", "true_peak", "range"}:
            return {field: float(value or "")}
    except ValueError:
        raise UsageError(f"profile {name}: {field} is a number, not {value!r}") from None
    if field == "codec":
        raise UsageError(f"profile {name}: codec is one of {', '.join(get_args(Codec))}, not {value!r}")
    raise UsageError(f"profile {name}: {field!r} is not known; it may say {_FIELDS}")


def _sane(profile: Profile) -> Profile:
    """Refuse what ffmpeg's loudnorm would not take, or what no encoder has."""
    limits = (
        ("integrated", profile.integrated, -70, -5),
        ("true_peak", profile.true_peak, -9, 0),
        ("range", 7 if profile.range is None else profile.range, 1, 50),
        ("kbps", 32 if profile.is_copied else profile.kbps, 32, 320),
    )
    for field, value, least, most in limits:
        # Also refuses what is not a number at all (nan).
        if not least <= value <= most:
            raise UsageError(f"profile {profile.name}: {field} is from {least} to {most}, not {value:g}")
    return profile
