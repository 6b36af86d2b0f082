"""Logiqx XML, the format of No-Intro, Redump, TOSEC and MAME; also what `mame -listxml` writes. Pure.

http://www.logiqx.com/Dats/datafile.dtd describes it; what is not in there is passed over.
"""

from collections.abc import Mapping

from pipeline.roms.dats import fields
from pipeline.roms.dats.counting import check_files
from pipeline.roms.dats.dat import DatHeader
from pipeline.roms.dats.naming import stem_of
from pipeline.roms.records import DatGameRecord, DatKind, DatRomRecord

_GAMES = frozenset({"game", "machine"})
_MAKERS = ("manufacturer", "publisher", "developer")


class LogiqxReader:
    """Makes games of a file's elements."""

    kind: DatKind = "logiqx"
    taken_for = "a DAT in Logiqx XML"

    def __init__(self, file_name: str) -> None:
        self.games: list[DatGameRecord] = []
        self._file_name = file_name
        self._header: dict[str, str] = {}
        self._is_header = False
        self._game: Mapping[str, str] | None = None
        self._texts: dict[str, str] = {}
        self._roms: list[DatRomRecord] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if name == "rom":
            self._add(attributes, is_disk=False)
        elif name in _GAMES:
            self._game, self._texts, self._roms = attributes, {}, []
        elif name == "disk":
            self._add(attributes, is_disk=True)
        elif name == "header":
            self._is_header = True
        elif name == "mame":
            self._header = {"name": "MAME", "version": attributes.get("build", "")}

    def end(self, name: str, text: str) -> None:
        """Take the end of an element."""
        if name in _GAMES:
            self._close()
        elif name == "header":
            self._is_header = False
        elif self._is_header:
            self._header.setdefault(name, text)
        elif text and self._game is not None:
            self._texts.setdefault(name, text)

    def header(self) -> DatHeader:
        """Return the header; without a name it goes by its file's."""
        header = self._header
        return DatHeader(
            name=fields.text_of(header.get("name") or header.get("description")) or stem_of(self._file_name),
            version=fields.text_of(header.get("version") or header.get("date")) or "",
            description=fields.text_of(header.get("description")),
        )

    def _add(self, attributes: Mapping[str, str], *, is_disk: bool) -> None:
        if self._game is None:
            return
        self._roms.append(fields.rom(attributes, is_disk=is_disk))
        check_files(len(self._roms), self._file_name, self._game.get("name", ""))

    def _close(self) -> None:
        game, texts = self._game, self._texts
        if game is None:
            return
        name = fields.text_of(game.get("name")) or ""
        is_bios, is_device = game.get("isbios") == "yes", game.get("isdevice") == "yes"
        self.games.append(
            DatGameRecord(
                name=name,
                roms=self._roms,
                description=fields.text_of(texts.get("description")),
                parent=fields.text_of(game.get("cloneof")),
                year=fields.year(texts.get("year")),
                maker=next((text for key in _MAKERS if (text := fields.text_of(texts.get(key)))), None),
                serial=fields.text_of(texts.get("serial")),
                role=fields.role(name, is_bios=is_bios, is_device=is_device),
            )
        )
        self._game = None
