"""Paths as a tree of their parts: what a request is for is found in as many steps as it has, however many there are."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Paths(Generic[Value]):
    """Values by path templates such as `/targets/{target}`; a word that is written out goes before a part."""

    def __init__(self) -> None:
        self._words: dict[str, Paths[Value]] = {}
        self._part: Paths[Value] | None = None
        self._value: Value | None = None
        self._names: Sequence[str] = ()

    def add(self, template: str, value: Value) -> None:
        """Keep a value under a template."""
        node, names = self, []
        for word in template.split("/")[1:]:
            if word.startswith("{"):
                names.append(word.strip("{}"))
                node._part = node._part or Paths()
                node = node._part
            else:
                node = node._words.setdefault(word, Paths())
        node._value, node._names = value, names

    def find(self, segments: Sequence[str]) -> tuple[Value, Mapping[str, str]] | None:
        """Return the value of the template that a path fits, with its parts by name; None where it fits none."""
        return self._find(segments, [])

    def _find(self, segments: Sequence[str], parts: list[str]) -> tuple[Value, Mapping[str, str]] | None:
        if not segments:
            return None if self._value is None else (self._value, dict(zip(self._names, parts, strict=True)))
        first, rest = segments[0], segments[1:]
        if (below := self._words.get(first)) is not None and (value := below._find(rest, parts)) is not None:
            return value
        # A part of a path has at least one letter: an empty one is a slash too many.
        return self._part._find(rest, [*parts, first]) if self._part is not None and first else None
