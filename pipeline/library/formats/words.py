"""The words of all formats in one place: statuses, ownership, stores, platforms, other media, in several languages.

A table has ours on the left and theirs on the right; they are compared by `models.names.name_key`, so that case,
accents, spaces and hyphens do not count.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from models.names import name_key
from pipeline.library.records import Completion, Ownership, Status, Store

Word = TypeVar("Word")

_STATUSES: Mapping[Status, Sequence[str]] = {
    "backlog": (
        *("backlog", "backlogged", "not played", "unplayed", "not started", "planning", "planned", "plan to play"),
        *("to play", "want to play", "up next", "next", "todo", "pending", "offen", "ungespielt", "nicht gespielt"),
        *("geplant", "noch zu spielen", "pile of shame", "à jouer", "pas commencé", "a faire", "pendiente"),
        *("por jugar", "sin jugar", "da giocare", "por jogar", "para jogar", "do zagrania", "積みゲー", "未プレイ"),
    ),
    "playing": (
        *("playing", "now playing", "in progress", "currently playing", "current", "started", "ongoing", "am spielen"),
        *("spiele gerade", "angefangen", "läuft", "en cours", "jugando", "en curso", "giocando", "in corso"),
        *("jogando", "a jogar", "w trakcie", "gram", "プレイ中"),
    ),
    "paused": (
        *("paused", "on hold", "onhold", "shelved", "played", "unfinished", "on pause", "pausiert", "unterbrochen"),
        *(
            "gespielt",
            "en pause",
            "joué",
            "pausado",
            "en pausa",
            "jugado",
            "in pausa",
            "giocato",
            "jogado",
            "wstrzymane",
        ),
    ),
    "finished": (
        *("finished", "beaten", "completed", "complete", "done", "beat", "cleared", "beaten softcore"),
        *("beaten hardcore", "games i have completed", "durchgespielt", "beendet", "abgeschlossen", "fertig", "fini"),
        *("finie", "finis", "terminé", "terminée", "terminés", "terminado", "terminados", "acabado", "completado"),
        *(
            "completados",
            "finito",
            "finiti",
            "completato",
            "completati",
            "concluído",
            "zerado",
            "ukończone",
            "ukończona",
        ),
        *("пройдено", "クリア", "クリア済み"),
    ),
    "mastered": ("mastered", "platinum", "platinumed", "perfect", "platin", "platiniert", "platine", "platino"),
    "abandoned": (
        *("abandoned", "dropped", "retired", "gave up", "given up", "quit", "abgebrochen", "aufgegeben", "abandonné"),
        *("abandonnée", "abandonado", "abbandonato", "largado", "porzucone", "брошено"),
    ),
    "endless": ("endless", "no ending", "multiplayer", "endlos", "sans fin", "sin fin"),
}
_OWNERSHIPS: Mapping[Ownership, Sequence[str]] = {
    "owned": ("owned", "own", "collection", "besitz", "im besitz", "possédé", "en propiedad", "posseduto", "digital"),
    "subscription": ("subscription", "game pass", "gamepass", "ps plus", "playstation plus", "ea play", "abo"),
    "shared": ("shared", "family sharing", "family", "geteilt", "partagé", "compartido"),
    "lent": ("lent", "borrowed", "loan", "verliehen", "prêté", "prestado"),
    "sold": ("sold", "traded", "formerly owned", "verkauft", "vendu", "vendido", "venduto"),
    "wished": (
        *("wish", "wished", "wishlist", "wish list", "wanted", "want", "wunschliste", "wunsch", "liste de souhaits"),
        *("souhait", "lista de deseos", "deseado", "lista dei desideri", "lista de desejos", "lista życzeń"),
    ),
}
_COMPLETIONS: Mapping[Completion, Sequence[str]] = {
    "main": ("main", "main story", "story", "main game", "hauptgeschichte", "any%"),
    "extras": ("extras", "main extras", "main + extras", "main story + extras", "main plus extras"),
    "all": ("all", "100%", "100", "100% completion", "completionist", "everything", "full", "mastered", "platinum"),
}
_STORES: Mapping[Store, Sequence[str]] = {
    "steam": ("steam",),
    "gog": ("gog", "gog.com", "gog galaxy"),
    "epic": ("epic", "epic games", "epic games store", "egs", "legendary"),
    "amazon": ("amazon", "amazon games", "prime gaming", "twitch prime", "nile"),
    "xbox": ("xbox", "xbox store", "microsoft store", "microsoft", "xbox live", "xbox game pass", "windows store"),
    "playstation": ("playstation", "playstation store", "psn", "playstation network", "ps store"),
    "nintendo": ("nintendo", "nintendo eshop", "eshop", "nintendo store"),
    "itch": ("itch", "itch.io"),
    "ea": ("ea", "ea app", "the ea app", "origin", "ea play", "ea desktop"),
    "ubisoft": ("ubisoft", "uplay", "ubisoft connect"),
    "physical": ("physical", "retail", "disc", "cartridge", "boxed", "physisch", "physique", "físico", "fisico"),
    "rom": ("rom", "roms", "emulator", "emulated"),
    "other": ("humble bundle", "humble", "kickstarter", "battle.net", "blizzard", "zoom", "zoom platform", "rockstar"),
}
# Of a platform's name; the file's own spelling is kept, this only says that a word is one.
_PLATFORMS = (
    *(
        "pc",
        "windows",
        "win",
        "mac",
        "macos",
        "mac os",
        "os x",
        "linux",
        "steam deck",
        "deck",
        "dos",
        "ms-dos",
        "steamos",
    ),
    *("pc (microsoft windows)", "pc windows", "pc dos", "windows pc", "browser", "web", "web browser", "mobile", "vr"),
    *("android", "ios", "iphone", "ipad", "apple arcade", "stadia", "luna", "quest", "meta quest", "n-gage", "ouya"),
    *("ps", "psx", "ps1", "psone", "playstation", "playstation 1", "psp", "playstation portable", "vita", "ps vita"),
    *("playstation vita", "psvr", "psvr2", *(f"{name}{n}" for name in ("ps", "playstation ") for n in (2, 3, 4, 5))),
    *("xbox", "original xbox", "xb", "360", "x360", "xbox 360", "xb360", "xbone", "xb1", "xbo", "xone", "xbox one"),
    *("xsx", "xss", "xbs", "series x", "series s", "xbox series", "xbox series x", "xbox series x|s", "series x/s"),
    *("nes", "famicom", "fc", "snes", "sfc", "super nintendo", "super famicom", "n64", "nintendo 64", "64dd", "fds"),
    *("gc", "gcn", "ngc", "gamecube", "nintendo gamecube", "game cube", "wii", "wii u", "switch", "nsw", "ns"),
    *("nintendo switch", "switch 2", "ns2", "nintendo switch 2", "gb", "game boy", "gbc", "game boy color", "gba"),
    *("game boy advance", "ds", "nds", "nintendo ds", "dsi", "3ds", "n3ds", "nintendo 3ds", "new 3ds", "virtual boy"),
    *("nintendo entertainment system", "super nintendo entertainment system", "nes/famicom", "snes/super famicom"),
    *("master system", "sms", "genesis", "mega drive", "megadrive", "md", "sega genesis", "sega mega drive", "sega cd"),
    *("sega mega drive/genesis", "genesis/mega drive", "mega cd", "32x", "saturn", "sega saturn", "dreamcast", "dc"),
    *(
        "sega dreamcast",
        "game gear",
        "gg",
        "arcade",
        "neo geo",
        "neo geo pocket",
        "ngpc",
        "turbografx",
        "turbografx-16",
    ),
    *(
        "pc engine",
        "pce",
        "tg16",
        "pc-98",
        "pc-88",
        "msx",
        "msx2",
        "x68000",
        "fm towns",
        "c64",
        "commodore 64",
        "amiga",
    ),
    *("atari", "atari 2600", "atari st", "lynx", "jaguar", "zx spectrum", "spectrum", "amstrad cpc", "bbc micro"),
    *("apple ii", "3do", "cd-i", "cdi", "wonderswan", "colecovision", "intellivision", "playdate", "virtual console"),
)
# IGDB's ids of platforms, which Backloggd writes instead of names: https://api-docs.igdb.com/#platform
PLATFORMS_BY_IGDB_ID: Mapping[int, str] = {
    3: "Linux",
    4: "Nintendo 64",
    5: "Wii",
    6: "PC (Microsoft Windows)",
    7: "PlayStation",
    8: "PlayStation 2",
    9: "PlayStation 3",
    11: "Xbox",
    12: "Xbox 360",
    13: "DOS",
    14: "Mac",
    18: "Nintendo Entertainment System",
    19: "Super Nintendo Entertainment System",
    20: "Nintendo DS",
    21: "Nintendo GameCube",
    22: "Game Boy Color",
    23: "Dreamcast",
    24: "Game Boy Advance",
    29: "Sega Mega Drive/Genesis",
    32: "Sega Saturn",
    33: "Game Boy",
    34: "Android",
    37: "Nintendo 3DS",
    38: "PlayStation Portable",
    39: "iOS",
    41: "Wii U",
    46: "PlayStation Vita",
    48: "PlayStation 4",
    49: "Xbox One",
    52: "Arcade",
    130: "Nintendo Switch",
    167: "PlayStation 5",
    169: "Xbox Series X|S",
    508: "Nintendo Switch 2",
}
# What Yamtrack calls other media, in a sentence about the line.
OTHER_MEDIA: Mapping[str, str] = {
    "tv": "a TV series",
    "season": "a season of a TV series",
    "episode": "an episode of a TV series",
    "movie": "a film",
    "anime": "an anime",
    "manga": "a manga",
    "book": "a book",
    "comic": "a comic",
    "boardgame": "a board game",
    "music": "music",
    "podcast": "a podcast",
}
# Cells that say nothing.
BLANKS = frozenset({"", "-", "--", "---", "–", "—", "?", "n/a", "na", "none", "null", "nan", "unknown", "tbd", "tba"})
_YES = frozenset(
    {
        "x",
        "yes",
        "y",
        "true",
        "1",
        "✓",
        "✔",
        "☑",
        "✅",
        "ja",
        "oui",
        "sí",
        "si",
        "sim",
        "да",
        "tak",
        "はい",
        "wahr",
        "vrai",
    }
)
_NO = frozenset(
    {"no", "n", "false", "0", "✗", "✘", "☐", "❌", "nein", "non", "não", "nie", "нет", "falsch", "faux", ""}
)
# Headings over what belongs to no series.
_NO_SERIES = frozenset(
    name_key(words)
    for words in (
        *("everything else", "other", "others", "other games", "misc", "miscellaneous", "rest", "the rest", "various"),
        *(
            "standalone",
            "one-offs",
            "no series",
            "games",
            "video games",
            "list",
            "all",
            "sonstiges",
            "andere",
            "übrige",
        ),
        *("verschiedenes", "autres", "divers", "otros", "varios", "altri", "altro", "outros", "inne"),
    )
)


def _inverted(table: Mapping[Word, Collection[str]]) -> dict[str, Word]:
    return {name_key(theirs): ours for ours, words in table.items() for theirs in words}


_STATUS_OF = _inverted(_STATUSES)
_OWNERSHIP_OF = _inverted(_OWNERSHIPS)
_COMPLETION_OF = _inverted(_COMPLETIONS)
_STORE_OF = _inverted(_STORES)
_PLATFORM_KEYS = frozenset(map(name_key, _PLATFORMS))


def status_of(word: str) -> Status | None:
    """Return which status a format's or a person's word means; None for a word that is none."""
    return _STATUS_OF.get(name_key(word))


def ownership_of(word: str) -> Ownership | None:
    """Return how a word says that a game is had; None for a word that does not."""
    return _OWNERSHIP_OF.get(name_key(word))


def completion_of(word: str) -> Completion | None:
    """Return how much of a game a word says is done; None for a word that does not."""
    return _COMPLETION_OF.get(name_key(word))


def store_of(word: str) -> Store | None:
    """Return which store a word names; None for one that we do not know."""
    return _STORE_OF.get(name_key(word))


def is_platform(words: str) -> bool:
    """Whether these words, as a whole, name a platform."""
    return name_key(words) in _PLATFORM_KEYS


def is_no_series(heading: str) -> bool:
    """Whether a heading stands over what belongs to no series: "Everything else"."""
    return name_key(heading) in _NO_SERIES


def is_blank(cell: str) -> bool:
    """Whether a cell says nothing: empty, a dash, "n/a"."""
    return cell.strip().lower() in BLANKS


def flag_of(cell: str) -> bool | None:
    """Return what a cell of crosses or of yes and no says; None for one that is neither."""
    word = cell.strip().lower()
    return True if word in _YES else False if word in _NO or is_blank(word) else None
