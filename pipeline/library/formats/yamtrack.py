"""Yamtrack's CSV, which holds films, series and books too: of 14 columns, and of more since. Pure.

A game of source `igdb` has IGDB's id; progress is "3h 00min" or minutes, the score is out of ten. Each time through is
a row of its own. https://github.com/FuzzyGrim/Yamtrack, src/integrations/exports.py
"""

from pipeline.errors import InvalidItem
from pipeline.library.formats.building import key_of, reading
from pipeline.library.formats.cells import Cells, read_cells
from pipeline.library.formats.dates import date_of
from pipeline.library.formats.look import Look
from pipeline.library.formats.values import note_of, number_of, rating_of, seconds_of, shown, title_of, whole_of
from pipeline.library.formats.words import OTHER_MEDIA, is_blank, status_of
from pipeline.library.records import PlaythroughRecord, Reading, ReadOptions, Record

_COLUMNS = ("media_id", "source", "media_type")
_NEEDED = (*_COLUMNS, "title")


class Yamtrack:
    """A Yamtrack export."""

    name = "yamtrack"
    taken_for = "a Yamtrack export"

    def recognises(self, look: Look) -> bool:
        return look.columns.issuperset(_COLUMNS)

    def read(self, look: Look, options: ReadOptions) -> Reading:
        records, broken = read_cells(look, self.taken_for, _NEEDED, _record, "title")
        return reading(self.name, self.taken_for, records, broken, name=look.name, options=options)


def _record(cells: Cells) -> Record:
    media = cells["media_type"].lower()
    if media != "game":
        title = cells["title"] or cells["media_id"]
        reason = OTHER_MEDIA.get(media)
        if reason is None and not media:
            raise InvalidItem("its `media_type` is empty")
        return Record(
            line=cells.line,
            written=title_of(title),
            no_game=f"{reason}, no game" if reason else f"{shown(media)}, no game",
        )
    source = cells["source"].lower()
    title = title_of(cells["title"])
    igdb_id = whole_of(cells["media_id"]) if source == "igdb" else None
    if source == "igdb" and igdb_id is None:
        raise InvalidItem(f"{shown(cells['media_id'])} is no id of IGDB's")
    word = cells["status"]
    status = status_of(word) if not is_blank(word) else None
    if status is None and not is_blank(word):
        raise InvalidItem(f"{shown(word)} is no status of Yamtrack's")
    rating = None if is_blank(cells["score"]) else rating_of(number_of(cells["score"]), 10)
    if rating is None and not is_blank(cells["score"]):
        raise InvalidItem(f"{shown(cells['score'])} is no rating")
    started, finished = date_of(cells["start_date"]), date_of(cells["end_date"])
    seconds = seconds_of(cells["progress"], "minutes")
    playthroughs: tuple[PlaythroughRecord, ...] = ()
    if status is not None and (status != "backlog" or started or finished):
        playthroughs = (
            PlaythroughRecord(
                key=key_of("yamtrack", [source, cells["media_id"] or title], started),
                status=status,
                started=started,
                finished=finished if status in {"finished", "abandoned"} else None,
                seconds=seconds or None,
            ),
        )
    return Record(
        line=cells.line,
        written=title,
        igdb_id=igdb_id,
        status=status,
        rating=rating[0] if rating else None,
        rating_scale=rating[1] if rating else None,
        notes=note_of(cells["notes"]),
        playthroughs=playthroughs,
    )
