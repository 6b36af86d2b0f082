"""legendary, a client of Epic's: `legendary list --json` and `--csv`. Pure.

`app_name` is Epic's code name, which IGDB does not know. A product with `mainGameItem` is DLC; `categories` say what is
an engine or software. https://github.com/derrod/legendary, legendary/cli.py
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pipeline.fetch.shapes import UNREADABLE
from pipeline.library.formats.building import read_elements, read_rows, reading
from pipeline.library.formats.format import refuse
from pipeline.library.formats.look import Look, first_keys, keys_of, listed
from pipeline.library.formats.no_games import DLC, no_game_by_name
from pipeline.library.formats.table import Row
from pipeline.library.formats.values import title_of, words_of
from pipeline.library.formats.words import flag_of
from pipeline.library.records import Reading, ReadOptions, Record

_TAKEN_FOR = "a list of legendary's"
_COLUMNS = ("app name", "app title", "is dlc")
_ADDONS = frozenset({"addons", "digitalextras", "addons/durable", "addons/launchable"})
_NO_GAMES = {
    "engines": "an engine, no game",
    "plugins": "a plug-in, no game",
    "assets": "assets for an engine, no game",
    "software": "software, no game",
}


class _Category(msgspec.Struct):
    path: str | None = None


class _Metadata(msgspec.Struct):
    title: str | None = None
    categories: list[_Category] = []
    mainGameItem: Any = None  # noqa: N815 - as Epic writes it


class _Product(msgspec.Struct):
    app_name: str
    app_title: str | None = None
    metadata: _Metadata | None = None


class LegendaryJson:
    """`legendary list --json`: products, each with its DLC."""

    name = "legendary"
    taken_for = _TAKEN_FOR

    def recognises(self, look: Look) -> bool:
        return {"app_name", "app_title"} <= first_keys(look.elements)

    def read(self, look: Look, options: ReadOptions) -> Reading:
        if not look.elements:
            refuse(look, self.taken_for, "is no JSON list of products")
        products = list(_products(look.elements))
        dlcs = {line for line, (_, is_dlc) in enumerate(products, 1) if is_dlc}
        records, broken = read_elements(
            (raw for raw, _ in products), _Product, lambda line, product: _record(line, product, is_dlc=line in dlcs)
        )
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _products(elements: Sequence[msgspec.Raw]) -> Iterator[tuple[msgspec.Raw, bool]]:
    """Yield products in the file's order, each before its DLC."""
    for raw in elements:
        yield raw, False
        try:
            dlcs = listed(keys_of(raw).get("dlcs"))
        except UNREADABLE:
            continue
        for dlc in dlcs:
            yield dlc, True


def _record(line: int, product: _Product, *, is_dlc: bool) -> Record:
    metadata = product.metadata or _Metadata()
    title = title_of(product.app_title or metadata.title)
    return Record(
        line=line,
        written=title,
        no_game=DLC if is_dlc else _no_game(metadata) or no_game_by_name(title),
        store="epic",
        external_id=_external_id(product.app_name),
        ownership="owned",
    )


def _no_game(metadata: _Metadata) -> str | None:
    paths = [category.path or "" for category in metadata.categories]
    if metadata.mainGameItem is not None or (not _ADDONS.isdisjoint(paths) and "games" not in paths):
        return DLC
    if "games" in paths:
        return None
    return next((_NO_GAMES[path.partition("/")[0]] for path in paths if path.partition("/")[0] in _NO_GAMES), None)


def _external_id(app_name: str) -> str | None:
    return next(iter(words_of([app_name])), "")[:100] or None


class LegendaryCsv:
    """`legendary list --csv` or `--tsv`."""

    name = "legendary-csv"
    taken_for = _TAKEN_FOR

    def recognises(self, look: Look) -> bool:
        return look.columns.issuperset(_COLUMNS)

    def read(self, look: Look, options: ReadOptions) -> Reading:
        table = look.table
        if table is None or not look.columns.issuperset(_COLUMNS):
            refuse(look, self.taken_for, "lacks the columns `App name`, `App title` and `Is DLC`")
        at = {name.lower(): place for place, name in enumerate(table.header)}

        def convert(row: Row) -> Record:
            cells = [*row.cells, *[""] * len(table.header)]
            title = title_of(cells[at["app title"]])
            is_dlc = flag_of(cells[at["is dlc"]])
            return Record(
                line=row.line,
                written=title,
                no_game=DLC if is_dlc else no_game_by_name(title),
                store="epic",
                external_id=_external_id(cells[at["app name"]]),
                ownership="owned",
            )

        records, broken = read_rows(table, convert, at["app title"])
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)
