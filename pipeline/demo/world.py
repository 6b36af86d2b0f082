"""The invented world of the demo: organisations, games and channels that exist nowhere else."""

import re
from dataclasses import dataclass
from hashlib import sha256
from uuid import NAMESPACE_URL, uuid5


@dataclass(frozen=True, slots=True)
class Organization:
    key: str
    name: str

    @property
    def id(self) -> str:
        return stable_uuid(f"organization/{self.key}")

    @property
    def site(self) -> str:
        # .example is reserved (RFC 2606): the demo links to no real site.
        return f"https://{self.key}.example"


@dataclass(frozen=True, slots=True)
class Game:
    key: str
    name: str
    organization: Organization
    motif: str
    """The picture on the box, one of `pictures.MOTIFS`."""
    hue: int
    """The colour of the box, 0 to 359 degrees."""

    @property
    def id(self) -> str:
        return str(stable_number(f"game/{self.key}", 100_000_000, 1_999_999_999))


@dataclass(frozen=True, slots=True)
class Streamer:
    """A streaming channel: its login, and its display name as the service prints it."""

    login: str
    display_name: str

    @property
    def id(self) -> str:
        return str(stable_number(f"channel/{self.login}", 20_000_000, 1_400_000_000))


def stable_uuid(key: str) -> str:
    """The UUID that this key always has."""
    return str(uuid5(NAMESPACE_URL, f"https://demo.lootwire.example/{key}"))


def stable_number(key: str, low: int, high: int) -> int:
    """The number between `low` and `high` (both may occur) that this key always has."""
    return low + int.from_bytes(sha256(key.encode()).digest()[:8]) % (high - low + 1)


def slug(text: str) -> str:
    """The text in `[a-z0-9-]`; a text of other scripts only has none and becomes a stable word."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or f"x{stable_number(text, 1000, 9999)}"


ORGANIZATIONS = {
    key: Organization(key, name)
    for key, name in (
        ("lanternmoth", "Lanternmoth Interactive"),
        ("oak-and-ember", "Oak & Ember Playworks"),
        ("polar-kettle", "Polar Kettle Games"),
        ("brasswing", "Brasswing Collective"),
        ("hollowpine", "Hollowpine Works"),
        ("starling-yard", "Starling Yard"),
        ("tidewarden", "Tidewarden Online AB"),
        ("marzipan", "Marzipan Arcade"),
        ("ninth-gravel", "Ninth Gravel"),
        ("quartz-quill", "Quartz Quill Studio"),
        ("umbra-tram", "Umbra Tram Company"),
        ("rumblebarn", "Rumblebarn Sports"),
        ("eunha-noodle", "은하국수 게임즈"),
        ("somgureum", "솜구름공방"),
    )
}

GAMES = {
    key: Game(key, name, ORGANIZATIONS[owner], motif, hue)
    for key, name, owner, motif, hue in (
        ("sporeways", "Sporeways Online", "hollowpine", "leaf", 96),
        ("cinderhold", "Cinderhold", "oak-and-ember", "flame", 14),
        ("gloomtide", "Gloomtide Trawlers", "tidewarden", "wave", 196),
        ("kettlebots", "Kettlebots Arena", "polar-kettle", "bolt", 214),
        ("nine-lanterns", "Nine Lanterns: Ashen Court", "lanternmoth", "moon", 268),
        ("velvet-meridian", "Velvet Meridian GP", "starling-yard", "star", 336),
        ("frostbarrow", "Frostbarrow", "polar-kettle", "gem", 186),
        ("orbit-plumbers", "Orbit Plumbers", "umbra-tram", "key", 242),
        ("hexagon-harvest", "Hexagon Harvest", "marzipan", "gem", 44),
        ("rook-rapier", "Rook & Rapier", "quartz-quill", "crown", 2),
        ("tramline", "Tramline Tycoon III", "umbra-tram", "key", 158),
        ("paper-dragon", "Paper Dragon Tactics", "quartz-quill", "flame", 352),
        ("saltglass", "Saltglass Raiders", "tidewarden", "shield", 204),
        ("dune-courier", "Dune Courier", "ninth-gravel", "star", 32),
        ("whisker", "Whisker Protocol", "marzipan", "moon", 300),
        ("mossgate", "Mossgate Legends", "brasswing", "leaf", 128),
        ("pocket-colossus", "Pocket Colossus", "brasswing", "shield", 62),
        ("gutter-league", "Gutter League Bowling", "rumblebarn", "bolt", 112),
        ("moonlit-smithy", "달빛 대장간", "somgureum", "moon", 228),
        ("galaxy-pocha", "은하포차", "eunha-noodle", "star", 282),
        ("mist-isle", "안개섬 연대기", "somgureum", "wave", 172),
    )
}

_NAMES = """
AmberMoth BogWitchBea Capt_Brine CinderCass CoalTitSam Crumpetron DeltaDormouse Drizzlekin EchoMarmot
Ferrywoman FjordFinn GlowwormGus GrannyParry HaloHerring Ibex_Inc IronTeacup JellyBishop KelpQueen
LanternLou LoafOfDoom MarlaMinute MildPeril Moss_Major NimbusNell Nutkin9 OatmealOni OddSocksOla
PandaPostman PebbleTess PicnicPirate QuillQuokka RattleRook RhubarbRex Saltlick SconeZone SleepyAnvil
SnailMailer SootSprite TeapotTomas ThistleTwin TinWhistler TurnipTsar UmbraUma VelvetVole WaffleWarden
WrenAndStimpy YarrowYell ZestyZeppelin
"""

STREAMERS = (
    *(Streamer(name.lower(), name) for name in _NAMES.split()),
    Streamer("byeolgomguk", "별곰국"),
    Streamer("hobakmadi", "호박마디"),
)


def lineup(first: int, count: int) -> tuple[Streamer, ...]:
    """Return `count` streamers from the one at `first` on, round the whole list."""
    return tuple(STREAMERS[(first + place) % len(STREAMERS)] for place in range(count))
