"""A list of games in XML: one element a game, whose fields are elements in it. Pure."""

from collections.abc import Collection, Mapping, Sequence

import msgspec

from pipeline.roms.exports.markup import Element, Markup, Unreadable, walk
from pipeline.roms.exports.merging import Listed


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """How a format names its list, a game in it and the path of a game; `beside` are roots that are no lists.

    `new` is the file without a game, `hashes` the fields that hold one, and `unit` what it is indented by.
    """

    called: str
    list: str
    game: str
    path: str
    new: bytes
    unit: str
    hashes: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


class XmlEntries:
    """A file of such a shape; without one, an empty one. It is a `merging.Document`."""

    def __init__(self, existing: bytes | None, shape: Shape) -> None:
        """Read a file; raises `Unreadable` for what is no XML, or no file of this shape."""
        self._shape = shape
        self._is_empty = not (existing and existing.strip())
        self._existing = existing
        self._markup = Markup(existing if existing and not self._is_empty else shape.new, shape.game)
        roots = self._markup.roots
        lists = list(walk(roots, shape.list))
        if other := next((root for root in roots if root.tag != shape.list and root.tag not in shape.beside), None):
            raise Unreadable(f"it is no {shape.called}: it has <{other.tag}> where <{shape.list}> is expected")
        self._list = lists[0] if lists else None
        self._games = [game for each in lists for game in walk(each.children, shape.game)]
        self._fields: dict[int, dict[str, Element]] = {}
        self._plain = [self._markup.plain_fields(game) for game in self._games]
        self._new: dict[int, list[str]] = {}
        self._added: list[Listed] = []
        self._keys = [self.value(entry, shape.path) for entry in range(len(self._games))]

    def keys(self) -> Sequence[str | None]:
        return self._keys

    def hashes(self) -> Mapping[int, Collection[str]]:
        tags = self._shape.hashes
        return {
            entry: {text.strip().casefold() for tag in tags if (text := self.value(entry, tag))}
            for entry in range(len(self._games) if tags else 0)
        }

    def value(self, entry: int, field: str) -> str | None:
        if (plain := self._plain[entry]) is not None:
            return plain.get(field)
        element = self._elements(entry).get(field)
        return None if element is None else self._markup.value(element)

    def has(self, entry: int, values: Mapping[str, str]) -> bool:
        plain = self._plain[entry]
        return plain is not None and values.items() <= plain.items()

    def set(self, entry: int, field: str, value: str) -> None:
        element = self._elements(entry).get(field)
        if element is not None:
            self._markup.set_value(element, value)
        else:
            self._new.setdefault(entry, []).append(self._written(field, value))

    def set_key(self, entry: int, key: str) -> None:
        self.set(entry, self._shape.path, key)

    def add(self, listed: Listed) -> None:
        self._added.append(listed)

    def encode(self) -> bytes:
        if self._is_empty and self._existing is not None and not self._added:
            return self._existing
        for entry, fields in self._new.items():
            self._put_in(self._games[entry], fields)
        if self._added:
            self._append()
        self._new, self._added = {}, []
        return self._markup.encode()

    def _elements(self, entry: int) -> dict[str, Element]:
        """Return the fields of an entry by their names, of those that it has twice the first."""
        if (fields := self._fields.get(entry)) is None:
            fields = self._fields[entry] = {}
            for element in self._games[entry].children:
                fields.setdefault(element.tag, element)
        return fields

    def _written(self, tag: str, value: str) -> str:
        return f"<{tag}>{self._markup.written(value)}</{tag}>"

    def _append(self) -> None:
        markup, shape = self._markup, self._shape
        outer, inner = self._indents()
        written = markup.written
        parts: list[str] = []
        for each in self._added:
            parts.append(f"{outer}<{shape.game}>{inner}<{shape.path}>{written(each.key)}</{shape.path}>")
            parts += [f"{inner}<{tag}>{written(value)}</{tag}>" for tag, value in each.values.items()]
            parts.append(f"{outer}</{shape.game}>")
        games = "".join(parts)
        last = (
            next((game for game in reversed(self._list.children) if game.tag == shape.game), None)
            if self._list
            else None
        )
        if last is not None:
            markup.replace(last.end, last.end, games)
        elif self._list is not None:
            self._fill(self._list, games)
        else:
            at = markup.roots[-1].end if markup.roots else len(markup.text.rstrip())
            end = markup.line_end
            markup.replace(at, at, f"{end}<{shape.list}>{games}{end}</{shape.list}>")

    def _indents(self) -> tuple[str, str]:
        """Return what stands before a game, and before a field of one."""
        markup, unit = self._markup, self._shape.unit
        game = next((game for game in self._games if game.children), next(iter(self._games), None))
        outer = markup.indent(game.start) if game is not None else f"{markup.line_end}{unit}"
        if game is not None and game.children:
            return outer, markup.indent(game.children[0].start)
        return outer, f"{outer}{unit}" if outer else ""

    def _put_in(self, game: Element, fields: Sequence[str]) -> None:
        """Put fields behind the last one of a game, each indented as the first one."""
        if game.children:
            indent = self._markup.indent(game.children[0].start)
            at = game.children[-1].end
            self._markup.replace(at, at, "".join(f"{indent}{field}" for field in fields))
        else:
            self._fill(game, "".join(f"{self._indents()[1]}{field}" for field in fields))

    def _fill(self, parent: Element, written: str) -> None:
        """Put markup into an element that has none in it."""
        markup = self._markup
        closing = markup.indent(parent.start) or (markup.line_end if written.startswith(("\r", "\n")) else "")
        if markup.is_empty_tag(parent):
            opened = markup.text[parent.start : parent.end - 2].rstrip()
            markup.replace(parent.start, parent.end, f"{opened}>{written}{closing}</{parent.tag}>")
            return
        # White space, comments and text that stand there stay before it.
        inside = markup.text[parent.open_end : parent.close_start].rstrip()
        at = parent.open_end + len(inside)
        markup.replace(at, at, written + (closing if at == parent.close_start else ""))
