"""Paths as a tree of their parts: what a request is for is found in as many steps as it has, however many there are."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")


class _Place(Generic[Value]):
    """A place in the tree: the words that go on from it, the part that does, and what is kept for a path's end."""

    def __init__(self) -> None:
        self.words: dict[str, _Place[Value]] = {}
        self.part: _Place[Value] | None = None
        self.value: Value | None = None
        self.names: Sequence[str] = ()

    def find(self, segments: Sequence[str], parts: list[str]) -> tuple[Value, Mapping[str, str]] | None:
        if not segments:
            return None if self.value is None else (self.value, dict(zip(self.names, parts, strict=True)))
        first, rest = segments[0], segments[1:]
        if (below := self.words.get(first)) is not None and (place := below.find(rest, parts)) is not None:
            return place
        # A part of a path has at least one letter: an empty one is a slash too many.
        return self.part.find(rest, [*parts, first]) if self.part is not None and first else None


class Paths(Generic[Value]):
    """Values by path templates such as `/targets/{target}`; a word that is written out goes before a part."""

    def __init__(self) -> None:
        self._root: _Place[Value] = _Place()

    def add(self, template: str, value: Value) -> None:
        """Keep a value under a template."""
        place, names = self._root, []
        for word in template.split("/")[1:]:
            if word.startswith("{"):
                names.append(word.strip("{}"))
                place.part = place.part or _Place()
                place = place.part
            else:
                place = place.words.setdefault(word, _Place())
        place.value, place.names = value, names

    def find(self, segments: Sequence[str]) -> tuple[Value, Mapping[str, str]] | None:
        """Return the value of the template that a path fits, with its parts by name; None where it fits none."""
        return self._root.find(segments, [])
