"""What an export changes in a file that a front end writes too: entry by entry, then field by field. Pure.

Whose a field is shows in what we last wrote there (`Remembered`). One that is missing or empty is filled. One that
holds what we last wrote is ours, and follows what Lootwire knows. Any other is somebody else's and stays: one that was
there before us, one that was changed since, also one that we filled and that is gone now. Nothing is ever taken out of
a file, and an entry that is of no exported ROM is not looked at.

An entry is a ROM's by its path, and after the ROM was renamed by the path that we last wrote, then by a hash where the
format holds one, at last (where a file's paths are of another machine) by the file's name.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
import xxhash

from pipeline.roms.exports.records import GameToExport


class Remembered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an export last wrote of a ROM: the entry's path as it stands in the file, and digests of its fields.

    `wanted` is the path that we would have written on this machine, `tail` the path in the collection. File and content
    find the ROM again that got another id.
    """

    rom_id: int
    file_id: int
    content: bytes
    key: str
    wanted: str
    tail: str
    fields: dict[str, int]


class Listed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A ROM as a format writes it: its path there, and the fields in the order in which they are written.

    `tail` is its path in the collection, `hashes` are as the format holds them.
    """

    game: GameToExport
    key: str
    tail: str
    values: Mapping[str, str]
    hashes: tuple[str, ...] = ()


class Document(Protocol):
    """A file of a front end, whose entries are counted from 0."""

    def keys(self) -> Sequence[str | None]:
        """Return the path of each entry as it stands there, None where it has none."""

    def hashes(self) -> Mapping[int, Collection[str]]:
        """Return the hashes that entries hold, by entry."""

    def value(self, entry: int, field: str) -> str | None:
        """Return a field, None where it is missing."""

    def has(self, entry: int, values: Mapping[str, str]) -> bool:
        """Return whether an entry surely has these values; where that is not known at once, False."""

    def set(self, entry: int, field: str, value: str) -> None:
        """Write a field, which may be missing."""

    def set_key(self, entry: int, key: str) -> None:
        """Write the path of an entry."""

    def add(self, listed: Listed) -> None:
        """Add an entry behind the others of its kind."""

    def encode(self) -> bytes:
        """Return the file with all that was written; where nothing was, its bytes as they were."""


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """A file after an export, and what is to be remembered of it."""

    data: bytes
    memory: tuple[Remembered, ...]
    added: int
    changed: int
    same: int
    kept: int


def merge(
    document: Document,
    listed: Sequence[Listed],
    memory: Iterable[Remembered],
    *,
    unset: Mapping[str, Collection[str]] | None = None,
    once: Collection[str] = (),
    foreign_paths: bool = False,
) -> Merged:
    """Bring ROMs into a file.

    `unset` are values by field that a front end writes where nobody said anything, `once` fields that are never changed
    since others refer to them. With `foreign_paths` the file may be of another machine, so that a file's name finds its
    entry.
    """
    keys, own = document.keys(), [each.key for each in listed]
    if foreign_paths:
        listed = _as_there(keys, listed)
    past = _Past(memory)
    before = [past.of(each.game) for each in listed]
    places = _match(document, listed, before, foreign_paths=foreign_paths)
    remembered: list[Remembered] = []
    counts: Counter[str] = Counter()
    for number, each in enumerate(listed):
        entry, known = places.get(number), before[number]
        if entry is None:
            document.add(each)
            counts["added"] += 1
            fields = {name: digest(text) for name, text in each.values.items()}
            remembered.append(_remember(each, each.key, own[number], fields))
            continue
        fields = dict(known.fields) if known is not None else {}
        is_changed = False
        key = _new_key(keys[entry] or "", each, own[number], known, foreign_paths=foreign_paths)
        if key != keys[entry]:
            document.set_key(entry, key)
            is_changed = True
        for name, wanted in () if document.has(entry, each.values) else each.values.items():
            current = document.value(entry, name)
            if current and name in once:
                continue
            if is_to_write(current, wanted, fields.get(name), unset.get(name, ()) if unset is not None else ()):
                document.set(entry, name, wanted)
                fields[name] = digest(wanted)
                is_changed = True
        counts["changed" if is_changed else "same"] += 1
        remembered.append(_remember(each, key, own[number], fields))
    used = {known.rom_id for known in before if known is not None} | {each.game.rom_id for each in listed}
    return Merged(
        data=document.encode(),
        memory=(*(each for each in past.all if each.rom_id not in used), *remembered),
        added=counts["added"],
        changed=counts["changed"],
        same=counts["same"],
        kept=len(keys) - len(places),
    )


def is_to_write(current: str | None, wanted: str, remembered: int | None, unset: Collection[str] = ()) -> bool:
    """Return whether a field gets what we want: it is empty and always was, or holds what we last wrote."""
    if current == wanted or not wanted:
        return False
    if current is None or not current.strip() or current in unset:
        return remembered is None
    return remembered is not None and digest(current) == remembered


def digest(text: str) -> int:
    """Return a number by which a text is known again."""
    return xxhash.xxh3_64_intdigest(text.encode())


def digest_of(data: bytes, listed: Iterable[Listed]) -> bytes:
    """Return what a file and the ROMs that are brought into it are known by: the same bring the same."""
    hashed = xxhash.xxh3_128(data)
    for each in listed:
        game = each.game
        parts = (
            str(game.rom_id),
            str(game.file_id),
            each.key,
            each.tail,
            *each.hashes,
            "",
            *each.values,
            *each.values.values(),
        )
        hashed.update("\0".join(parts).encode() + b"\1" + content_of(game))
    return hashed.digest()


def plain_path(path: str) -> str:
    r"""Return a path in the one form in which paths are compared: `./a/b`, `a//b` and `.\a\b` are `a/b`."""
    path = path.strip()
    # Most begin so and have nothing else to be changed.
    if "\\" in path:
        path = path.replace("\\", "/")
    if path.startswith("./"):
        path = path[2:].lstrip("/")
    while "//" in path:
        path = path.replace("//", "/")
    return path


def content_of(game: GameToExport) -> bytes:
    """Return what a ROM's content is known by; empty where nothing is known of it."""
    if game.sha1 is not None:
        return game.sha1
    return b"" if game.crc32 is None or game.size is None else b"%08x%x" % (game.crc32, game.size)


class _Past:
    """What was remembered, found by a ROM's id, its file or its content."""

    def __init__(self, memory: Iterable[Remembered]) -> None:
        self.all = tuple(memory)
        self._by_rom = {each.rom_id: each for each in self.all}
        self._by_file = _only_ones((each.file_id, each) for each in self.all)
        self._by_content = _only_ones((each.content, each) for each in self.all if each.content)

    def of(self, game: GameToExport) -> Remembered | None:
        if (known := self._by_rom.get(game.rom_id)) is not None:
            return known
        return self._by_file.get(game.file_id) or self._by_content.get(content_of(game))


def _only_ones(pairs: Iterable[tuple[Hashable, Remembered]]) -> dict[Hashable, Remembered | None]:
    """Return what keys have; None for a key that two have."""
    only: dict[Hashable, Remembered | None] = {}
    for key, value in pairs:
        only[key] = value if key not in only else None
    return only


def _remember(each: Listed, key: str, own: str, fields: dict[str, int]) -> Remembered:
    game = each.game
    return Remembered(game.rom_id, game.file_id, content_of(game), key, own, each.tail, fields)


def _new_key(current: str, each: Listed, own: str, known: Remembered | None, *, foreign_paths: bool) -> str:
    """Return the path that an entry is to have: a spelling of the front end's own stays while the file is the same."""
    if current == each.key or plain_path(current) == plain_path(each.key):
        return current
    if known is not None and known.key == current and known.wanted == own:
        return current
    if known is not None and current == known.wanted:
        return each.key
    if not foreign_paths:
        return each.key
    return _with_tail(current, known.tail if known is not None else each.tail, each)


def _with_tail(current: str, tail: str, each: Listed) -> str:
    """Return a path of another machine with its end changed as the collection's is."""
    if current == each.key:
        return current
    plain = current.replace("\\", "/")
    parts, new = tail.split("/"), each.tail.split("/")
    # Only so much of the path need be the same on both machines: at least the file's name.
    for start in range(len(parts)):
        end = "/".join(parts[start:])
        if plain.endswith(f"/{end}") or plain == end:
            if parts[:start] != new[:start]:
                break
            changed = "/".join(new[start:])
            return current[: len(current) - len(end)] + (changed.replace("/", "\\") if "\\" in current else changed)
    return each.key


def _as_there(keys: Sequence[str | None], listed: Sequence[Listed]) -> Sequence[Listed]:
    """Return ROMs with the paths that most of a file's entries have on their machine, where that is another one."""
    ours = {plain_path(each.key) for each in listed}
    by_name = {each.tail.rpartition("/")[2]: each.tail.split("/") for each in listed}
    begins: Counter[tuple[str, str, bool]] = Counter()
    for key in filter(None, keys):
        plain = key.replace("\\", "/")
        if plain_path(key) in ours:
            return listed
        parts = by_name.get(plain.rpartition("/")[2], ())
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            if plain.endswith(f"/{end}"):
                cut = "".join(f"{part}/" for part in parts[:start])
                begins[key[: len(key) - len(end)], cut, "\\" in key] += 1
                break
    if not begins:
        return listed
    (begin, cut, is_windows), _ = begins.most_common(1)[0]
    return [
        msgspec.structs.replace(each, key=begin + (tail.replace("/", "\\") if is_windows else tail))
        if each.tail.startswith(cut) and (tail := each.tail[len(cut) :])
        else each
        for each in listed
    ]


def _match(
    document: Document, listed: Sequence[Listed], before: Sequence[Remembered | None], *, foreign_paths: bool
) -> dict[int, int]:
    """Return the entry of each ROM that has one, by their places."""
    entries: dict[str, int] = {}
    for entry, key in enumerate(document.keys()):
        if key:
            entries.setdefault(plain_path(key), entry)
    # What stands under a path that another ROM had when it was written goes with that ROM: two files changed names.
    own = [plain_path(each.key) for each in listed]
    owners = {
        own[number] if known.key == listed[number].key else plain_path(known.key): number
        for number, known in enumerate(before)
        if known is not None
    }
    matched = _Matched()
    for number, key in enumerate(own):
        if owners.get(key, number) == number:
            matched.take(number, entries.get(key))
    for key, number in owners.items():
        matched.take(number, entries.get(key))
    for number, key in enumerate(own):
        matched.take(number, entries.get(key))
    if len(matched.entries) < len(listed):
        matched.take_only_ones(
            ((number, text) for number, each in enumerate(listed) for text in each.hashes),
            ((entry, text) for entry, texts in document.hashes().items() for text in texts),
        )
    if foreign_paths and len(matched.entries) < len(listed):
        matched.take_only_ones(
            ((number, each.tail.rpartition("/")[2]) for number, each in enumerate(listed)),
            ((entry, key.rpartition("/")[2]) for key, entry in entries.items()),
        )
    return matched.entries


class _Matched:
    """Pairs of ROMs and entries, each in one pair only."""

    def __init__(self) -> None:
        self.entries: dict[int, int] = {}
        self._taken: set[int] = set()

    def take(self, number: int, entry: int | None) -> None:
        if entry is not None and entry not in self._taken and number not in self.entries:
            self.entries[number] = entry
            self._taken.add(entry)

    def take_only_ones(self, ours: Iterable[tuple[int, str]], theirs: Iterable[tuple[int, str]]) -> None:
        """Pair those that are free, where a text is one ROM's and one entry's alone."""
        free = [(number, text) for number, text in ours if number not in self.entries]
        other = [(entry, text) for entry, text in theirs if entry not in self._taken]
        ours_of, theirs_of = Counter(text for _, text in free), Counter(text for _, text in other)
        entry_of = {text: entry for entry, text in other}
        for number, text in free:
            if ours_of[text] == 1 and theirs_of[text] == 1:
                self.take(number, entry_of[text])
