"""Software lists of MAME: the cartridges, floppies and discs of one platform. Pure.

A file of a game is a `rom` in a `dataarea` or a `disk` in a `diskarea`. A large one may be split over several `rom`s:
those that go on with it have a `loadflag` and no name, and its size is theirs together.
https://github.com/mamedev/mame/blob/master/hash/softwarelist.dtd
"""

from collections.abc import Mapping

import msgspec

from pipeline.roms.dats import fields
from pipeline.roms.dats.counting import check_files
from pipeline.roms.dats.dat import DatHeader
from pipeline.roms.dats.naming import stem_of
from pipeline.roms.records import DatGameRecord, DatKind, DatRomRecord

# They take more bytes of the file before; `reload` reads the same bytes again, and `fill` reads none.
_GO_ON = frozenset({"continue", "ignore"})
_NO_FILES = frozenset({*_GO_ON, "reload", "reload_plain", "fill"})


class SoftwareListReader:
    """Makes games of a list's elements."""

    kind: DatKind = "softwarelist"
    taken_for = "a MAME software list"

    def __init__(self, file_name: str) -> None:
        self.games: list[DatGameRecord] = []
        self._file_name = file_name
        self._list: Mapping[str, str] = {}
        self._version = ""
        self._software: Mapping[str, str] | None = None
        self._texts: dict[str, str] = {}
        self._serial: str | None = None
        self._roms: list[DatRomRecord] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take the start of an element."""
        if name == "rom":
            self._add_rom(attributes)
        elif name == "disk":
            self._add(fields.rom(attributes, is_disk=True))
        elif name == "software":
            self._software, self._texts, self._serial, self._roms = attributes, {}, None, []
        elif name == "info" and attributes.get("name") == "serial":
            self._serial = self._serial or fields.text_of(attributes.get("value"))
        elif name in {"softwarelist", "softwarelists"} and not self._list:
            self._list = dict(attributes)

    def end(self, name: str, text: str) -> None:
        """Take the end of an element."""
        if name == "software":
            self._close()
        elif text and self._software is not None:
            self._texts.setdefault(name, text)

    def header(self) -> DatHeader:
        """Return the header: a list's name is short (`megadriv`), and says no version but where MAME wrote it."""
        name = fields.text_of(self._list.get("name")) or stem_of(self._file_name)
        return DatHeader(
            name=name,
            version=fields.text_of(self._list.get("build")) or "",
            description=fields.text_of(self._list.get("description")),
        )

    def _add_rom(self, attributes: Mapping[str, str]) -> None:
        flag = attributes.get("loadflag", "")
        if flag in _NO_FILES:
            more = fields.size(attributes.get("size", "")) if flag in _GO_ON and self._roms else None
            if more:
                last = self._roms[-1]
                self._roms[-1] = msgspec.structs.replace(last, size=(last.size or 0) + more)
        elif attributes.get("name"):
            self._add(fields.rom(attributes))

    def _add(self, rom: DatRomRecord) -> None:
        if self._software is None:
            return
        self._roms.append(rom)
        check_files(len(self._roms), self._file_name, self._software.get("name", ""))

    def _close(self) -> None:
        software, texts = self._software, self._texts
        if software is None:
            return
        name = fields.text_of(software.get("name")) or ""
        self.games.append(
            DatGameRecord(
                name=name,
                roms=self._roms,
                description=fields.text_of(texts.get("description")),
                parent=fields.text_of(software.get("cloneof")),
                year=fields.year(texts.get("year")),
                maker=fields.text_of(texts.get("publisher")),
                serial=self._serial,
                role=fields.role(name),
            )
        )
        self._software = None
