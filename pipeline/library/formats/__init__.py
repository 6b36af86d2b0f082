"""The formats of libraries that Lootwire reads: exports of shops, trackers and launchers, tables, lists. Pure.

A format is one file here, with the shape of `pipeline.library.formats.format.Format`, and an entry in `FORMATS`.
"""

from models.errors import UsageError
from models.names import nearest
from pipeline.library.formats.any_csv import AnyCsv
from pipeline.library.formats.backloggd import ImporterCsv, TransferJson
from pipeline.library.formats.format import Format
from pipeline.library.formats.grouvee import Grouvee
from pipeline.library.formats.heroic import Heroic
from pipeline.library.formats.hltb import HowLongToBeat
from pipeline.library.formats.legendary import LegendaryCsv, LegendaryJson
from pipeline.library.formats.look import Look, first_keys
from pipeline.library.formats.markdown import HandWritten
from pipeline.library.formats.own import OwnLines, export_lines
from pipeline.library.formats.playnite import Playnite
from pipeline.library.formats.retroachievements import RetroAchievements
from pipeline.library.formats.steam import LocalConfig, OwnedGames
from pipeline.library.formats.yamtrack import Yamtrack
from pipeline.library.records import Reading, ReadOptions

# What tells itself best comes first; what anything may be taken for comes last.
FORMATS: tuple[Format, ...] = (
    OwnLines(),
    LocalConfig(),
    OwnedGames(),
    TransferJson(),
    RetroAchievements(),
    LegendaryJson(),
    Heroic(),
    Playnite(),
    LegendaryCsv(),
    Yamtrack(),
    Grouvee(),
    HowLongToBeat(),
    ImporterCsv(),
    AnyCsv(),
    HandWritten(),
)

__all__ = ["FORMATS", "Format", "export_lines", "recognise"]


def recognise(data: bytes, name: str, options: ReadOptions) -> Reading:
    """Return what a file says of somebody's games, read by the format of its content, or that `options` name.

    `name` is for sentences alone. Lines that cannot be read are in `Reading.broken`. Raises `UsageError` for a file
    that is none of the formats, or lacks what makes it the one that it was taken for.
    """
    look = Look(data, name)
    if options.format is not None:
        return _named(options.format).read(look, options)
    if options.columns and look.table is not None:
        return _named(AnyCsv.name).read(look, options)
    for each in FORMATS:
        if each.recognises(look):
            return each.read(look, options)
    raise UsageError(f"{name} {_looks_like(look)}. Lootwire reads {', '.join(each.name for each in FORMATS)}")


def _named(name: str) -> Format:
    names = [each.name for each in FORMATS]
    if name not in names:
        near = nearest(name, names, 1)
        hint = f"did you mean `{near[0]}`? There are" if near else "there are"
        raise UsageError(f"there is no format `{name}`; {hint} {', '.join(names)}")
    return next(each for each in FORMATS if each.name == name)


def _looks_like(look: Look) -> str:
    if look.json is None:
        return "is HTML or XML, perhaps a page that was saved: export the library as CSV or JSON"
    keys = sorted(look.members) or sorted(first_keys(look.elements))
    shown = ", ".join(f"`{key[:40]}`" for key in keys[:8])
    kind = "a list of objects" if look.elements else "an object"
    if not keys:
        return "is JSON that names nothing that a library has"
    return f"is JSON of no format that is known: {kind} with the keys {shown}"
