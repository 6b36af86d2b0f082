"""What brackets in names of ROMs say: tables of No-Intro, Redump, TOSEC and GoodTools, and the reading of one bracket.

Pure. The conventions: https://wiki.no-intro.org/index.php?title=Naming_Convention, http://redump.org/guide,
https://www.tosecdev.org/tosec-naming-convention, and GoodTools' GoodCodes.txt.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec


def _table(pairs: str) -> dict[str, str]:
    """Return `key=value, key=value` as a mapping."""
    return dict(pair.split("=") for pair in pairs.split(", "))


# What each flag says of a release.
FLAGS: Mapping[str, str] = {
    "alpha": "an early state",
    "beta": "a state before the release",
    "proto": "a prototype",
    "demo": "a part of the game, to try it",
    "sample": "given to shops or the press",
    "kiosk": "for machines in shops",
    "promo": "given away to advertise something",
    "debug": "with what its makers looked for faults with",
    "program": "no game: an application, a test, a cheat device",
    "bios": "a machine's own program",
    "dlc": "an addition, which does not run alone",
    "update": "a patch, which does not run alone",
    "hack": "changed by others",
    "translation": "translated by others",
    "cracked": "without its protection",
    "trained": "with cheats built in",
    "fixed": "changed so that it runs elsewhere",
    "modified": "written to since, as saves do",
    "bad": "read with faults",
    "underdump": "too short",
    "overdump": "too long",
    "virus": "with a virus",
    "alternate": "another copy of the same release",
    "verified": "said by others to be a good copy",
    "unlicensed": "without the maker of the platform",
    "pirate": "sold without its makers",
    "aftermarket": "made after the platform's time",
    "public-domain": "given away for free",
    "reissue": "sold again, in a collection, by download or in another box",
}
_FLAG_WORDS: Mapping[str, tuple[str, ...]] = {
    "alpha": ("alpha",),
    "beta": ("beta", "pre-release", "prerelease", "preview", "possible beta"),
    "proto": ("proto", "prototype", "protoype", "possible proto"),
    "demo": (
        *("demo", "trial", "trial edition", "taikenban", "tentou taikenban", "trade demo", "auto demo", "tech demo"),
        *("demo-kiosk", "demo-playable", "demo-rolling", "demo-slideshow", "demo-preview", "shareware"),
    ),
    "sample": ("sample", "not for resale", "nfr", "hibaihin", "mihonban"),
    "kiosk": ("kiosk", "kiosk demo", "demo-kiosk", "kiosk demo disc"),
    "promo": ("promo",),
    "debug": ("debug", "debug version"),
    "program": ("program", "test program", "application", "enhancement chip", "cheat cartridge"),
    "bios": ("bios",),
    "dlc": ("dlc", "addon", "theme"),
    "update": ("update", "patch"),
    "hack": ("hack",),
    "unlicensed": ("unl", "unlicensed"),
    "pirate": ("pirate", "bootleg"),
    "aftermarket": ("aftermarket", "homebrew"),
    "public-domain": ("pd", "public domain", "fw", "gw", "cw", "cw-r", "freeware"),
    "alternate": ("alt", "alternate"),
    "bad": ("bad", "bad dump"),
    "verified": ("verified",),
    "reissue": (
        *("virtual console", "switch online", "evercade", "reprint", "reissue", "rerelease", "re-release"),
        *("wii virtual console", "wii u virtual console", "3ds virtual console", "steam", "gog"),
    ),
}
# In capitals alone: in small letters "cw" would be a language.
_LICENCES = frozenset({"PD", "FW", "GW", "CW", "CW-R"})
_BY_WORD: Mapping[str, tuple[str, ...]] = {
    word: tuple(flag for flag, words in _FLAG_WORDS.items() if word in words)
    for words in _FLAG_WORDS.values()
    for word in words
}
# GoodTools' and TOSEC's dump flags, in square brackets: a letter, a number, and what more is to be said.
_DUMPS: Mapping[str, str] = {
    "a": "alternate",
    "b": "bad",
    "f": "fixed",
    "h": "hack",
    "m": "modified",
    "o": "overdump",
    "p": "pirate",
    "t": "trained",
    "u": "underdump",
    "v": "virus",
    "cr": "cracked",
    "tr": "translation",
}
REGIONS = frozenset(
    {
        *(
            "World",
            "USA",
            "Europe",
            "Japan",
            "Asia",
            "Africa",
            "Argentina",
            "Australia",
            "Austria",
            "Belgium",
            "Brazil",
        ),
        *("Bulgaria", "Canada", "Chile", "China", "Colombia", "Croatia", "Czech", "Czech Republic", "Denmark", "Egypt"),
        *("Estonia", "Export", "Finland", "France", "Germany", "Greece", "Hong Kong", "Hungary", "Iceland", "India"),
        *("Indonesia", "Iran", "Ireland", "Israel", "Italy", "Korea", "Latin America", "Latvia", "Lithuania"),
        *("Luxembourg", "Malaysia", "Mexico", "Netherlands", "New Zealand", "North America", "Norway", "Oceania"),
        *("Peru", "Philippines", "Poland", "Portugal", "Romania", "Russia", "Saudi Arabia", "Scandinavia", "Serbia"),
        *("Singapore", "Slovakia", "Slovenia", "South Africa", "South America", "Spain", "Sweden", "Switzerland"),
        *("Taiwan", "Thailand", "Turkey", "UK", "USSR", "Ukraine", "United Arab Emirates", "United Kingdom", "Vietnam"),
        *("Yugoslavia",),
    }
)
_BY_REGION: Mapping[str, str] = {region.casefold(): region for region in REGIONS} | _table(
    "united kingdom=UK, us=USA, america=USA, eu=Europe, eur=Europe, jp=Japan, jpn=Japan, jap=Japan, england=UK, "
    "brasil=Brazil, holland=Netherlands"
)
# ISO 3166, as TOSEC writes them: in capitals, parted by "-".
_COUNTRIES: Mapping[str, str] = _table(
    "AE=United Arab Emirates, AR=Argentina, AS=Asia, AT=Austria, AU=Australia, BE=Belgium, BG=Bulgaria, "
    "BR=Brazil, CA=Canada, CH=Switzerland, CL=Chile, CN=China, CS=Serbia, CZ=Czech, DE=Germany, DK=Denmark, "
    "EE=Estonia, EG=Egypt, ES=Spain, EU=Europe, FI=Finland, FR=France, GB=UK, GR=Greece, HK=Hong Kong, "
    "HR=Croatia, HU=Hungary, ID=Indonesia, IE=Ireland, IL=Israel, IN=India, IR=Iran, IS=Iceland, IT=Italy, "
    "JP=Japan, KR=Korea, LT=Lithuania, LU=Luxembourg, LV=Latvia, MX=Mexico, MY=Malaysia, NL=Netherlands, "
    "NO=Norway, NZ=New Zealand, PE=Peru, PH=Philippines, PL=Poland, PT=Portugal, RO=Romania, RU=Russia, "
    "SE=Sweden, SG=Singapore, SI=Slovenia, SK=Slovakia, TH=Thailand, TR=Turkey, TW=Taiwan, UK=UK, US=USA, "
    "VN=Vietnam, YU=Yugoslavia, ZA=South Africa"
)
# GoodTools' letters; alone they say nothing where a region stands already: Redump's (R) is a reprint.
_LETTERS: Mapping[str, tuple[str, ...]] = {
    letters: tuple(filter(None, regions.split("+")))
    for letters, regions in _table(
        "J=Japan, U=USA, E=Europe, W=World, A=Australia, B=Brazil, C=China, F=France, G=Germany, I=Italy, K=Korea, "
        "R=Russia, S=Spain, D=Netherlands, H=Netherlands, 1=Japan+Korea, 4=USA+Brazil, JU=Japan+USA, JE=Japan+Europe, "
        "UE=USA+Europe, JUE=Japan+USA+Europe, FC=Canada, FN=Finland, GR=Greece, HK=Hong Kong, NL=Netherlands, "
        "SW=Sweden, No=Norway, Unk="
    ).items()
}
# ISO 639-1.
LANGUAGES = frozenset(
    {
        *("af", "ar", "be", "bg", "ca", "cs", "cy", "da", "de", "el", "en", "eo", "es", "et", "eu", "fa", "fi", "fr"),
        *("ga", "gd", "gl", "he", "hi", "hr", "hu", "id", "is", "it", "ja", "ko", "la", "lt", "lv", "mk", "ms", "nl"),
        *("no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "th", "tr", "uk", "vi", "zh"),
    }
)
# How translations of GoodTools call theirs: [T+Fre].
_LANGUAGE_WORDS: Mapping[str, str] = _table(
    "fre=fr, eng=en, ger=de, spa=es, ita=it, por=pt, bra=pt, dut=nl, swe=sv, nor=no, dan=da, fin=fi, rus=ru, "
    "pol=pl, jap=ja, jpn=ja, kor=ko, chi=zh, gre=el, tur=tr, heb=he, hun=hu, cze=cs, cat=ca, ara=ar, rom=ro, "
    "lat=la, bul=bg, spanish=es, french=fr, english=en, german=de, italian=it, portuguese=pt, russian=ru, "
    "japanese=ja, dutch=nl, cesky=cs, hangul=ko, chinese=zh, korean=ko, swedish=sv, polish=pl"
)
_LANGUAGE = r"(?:[A-Z][a-z]|[a-z]{2})(?:-[A-Z]\w*|-[A-Z]{2})?"
_LANGUAGE_LIST = re.compile(
    rf"{_LANGUAGE}(?:[,+]\s*{_LANGUAGE})*|[a-z]{{2}}(?:-[a-z]{{2}})*|[A-Z]{{2}}(?:[,+][A-Z]{{2}})+"
)
_BETWEEN = re.compile(r"[,+\s]+")
_YEAR = re.compile(r"((?:19|20)\d\d)(?:-(?:\d\d|xx)(?:-(?:\d\d|xx))?|\.\d\d\.\d\d)?")
_DISC = re.compile(
    r"(?:disc|disk|diskette|cd|dvd|gd)[ -]?(\d{1,3}|[a-z])(?:[ ]?(?:of|/)[ ]?(?:\d{1,3}|[a-z]))?", re.IGNORECASE
)
_REVISION = re.compile(
    r"(?:rev(?:ision)?[ .-]?([0-9a-z][0-9a-z.]{0,8})|(v(?:er(?:sion)?)?[ .]?\d[0-9a-z.]{0,12})|(prg?\d))", re.IGNORECASE
)
_DUMP = re.compile(r"(cr|tr|[abfhmoptuv])(\d{0,2}(?:\+\d{0,2})?[A-Z0-9]{0,4})(?: (.*))?")
_TRANSLATED = re.compile(r"[Tt][+-]([A-Za-z]+).*")
_NUMBERED = re.compile(r"(.*\S)(?:[ -]?\d{1,4}|[ -][a-z])")


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """What a bracket says. With `is_known` false nobody knows it; `keep` says that it holds more than the rest here."""

    year: int | None = None
    regions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    disc: int | None = None
    revision: str | None = None
    flags: tuple[str, ...] = ()
    # A GoodTools letter, which says a region only where none stands already.
    is_letter: bool = False
    is_known: bool = True
    keep: bool = False


UNKNOWN = Tag(is_known=False, keep=True)
_FIRST_YEAR = 1950


@lru_cache(maxsize=16_384)
def read_tag(text: str, *, is_square: bool, last_year: int) -> Tag:
    """Return what stands in a bracket, round or square, without the brackets themselves."""
    plain = text.strip()
    readers = _SQUARE if is_square else _ROUND
    read = (tag for reader in readers if (tag := reader(plain)) is not None)
    tag = next(read, UNKNOWN)
    if tag.year is not None and not _FIRST_YEAR <= tag.year <= last_year:
        return UNKNOWN
    return tag


def _year(text: str) -> Tag | None:
    year = _YEAR.fullmatch(text)
    return Tag(year=int(year[1]), keep=len(text) > 4) if year is not None else None


def _regions(text: str) -> Tag | None:
    parts = [part.strip() for part in text.split(",")]
    regions = [_BY_REGION.get(part.casefold()) for part in parts]
    if all(regions) and not (len(text) == 2 and text.islower()):
        return Tag(regions=tuple(dict.fromkeys(region for region in regions if region)))
    countries = [_COUNTRIES.get(part) for part in text.split("-")]
    if all(countries):
        return Tag(regions=tuple(dict.fromkeys(region for region in countries if region)))
    return None


def _languages(text: str) -> Tag | None:
    if _LANGUAGE_LIST.fullmatch(text) is None:
        return None
    parts = [part for part in _BETWEEN.split(text) if part]
    if len(parts) == 1 and text.islower():
        parts = text.split("-")
        if parts[1:] in (["br"], ["us"], ["gb"]):
            parts = parts[:1]
    codes = [part.lower().partition("-")[0] for part in parts]
    return Tag(languages=tuple(dict.fromkeys(codes))) if LANGUAGES.issuperset(codes) else None


def _letters(text: str) -> Tag | None:
    regions = _LETTERS.get(text)
    return Tag(regions=regions, is_letter=True) if regions is not None else None


def _disc(text: str) -> Tag | None:
    disc = _DISC.fullmatch(text)
    if disc is None:
        return None
    number = int(disc[1]) if disc[1].isdigit() else ord(disc[1].lower()) - ord("a") + 1
    return Tag(disc=number) if number else None


def _revision(text: str) -> Tag | None:
    revision = _REVISION.fullmatch(text)
    if revision is None:
        return None
    return Tag(revision=revision[1].upper() if revision[1] else (revision[2] or revision[3]).replace(" ", ""))


def _flag(text: str) -> Tag | None:
    word = text.casefold()
    if word in _BY_WORD:
        if word.upper() in _LICENCES and text not in _LICENCES:
            return None
        return Tag(flags=_BY_WORD[word])
    numbered = _NUMBERED.fullmatch(word)
    if numbered is not None and numbered[1] in _BY_WORD and numbered[1].upper() not in _LICENCES:
        return Tag(flags=_BY_WORD[numbered[1]], keep=True)
    parts = [part.strip() for part in word.split(",")]
    if len(parts) > 1 and all(part in _BY_WORD for part in parts):
        return Tag(flags=tuple(dict.fromkeys(flag for part in parts for flag in _BY_WORD[part])), keep=True)
    return None


def _dump(text: str) -> Tag | None:
    if text == "!":
        return Tag(flags=("verified",))
    if text == "T":
        return Tag(flags=("translation",))
    if (translated := _TRANSLATED.fullmatch(text)) is not None:
        language = _language_of(translated[1])
        return Tag(flags=("translation",), languages=language, keep=True)
    dump = _DUMP.fullmatch(text)
    if dump is None:
        return None
    language = _language_of(dump[3].split(" ")[0]) if dump[1] == "tr" and dump[3] else ()
    return Tag(flags=(_DUMPS[dump[1]],), languages=language, keep=bool(dump[3]))


def _language_of(word: str) -> tuple[str, ...]:
    plain = word.lower().partition("-")[0]
    code = plain if plain in LANGUAGES else _LANGUAGE_WORDS.get(plain) or _LANGUAGE_WORDS.get(plain[:3])
    return (code,) if code is not None else ()


_Reader = Callable[[str], Tag | None]
_ROUND: tuple[_Reader, ...] = (_year, _flag, _regions, _languages, _disc, _revision, _letters)
_SQUARE: tuple[_Reader, ...] = (_dump, _flag, _regions, _languages, _disc, _revision)
