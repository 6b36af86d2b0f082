"""XML that is changed in place: each byte that nobody changes stays, whatever wrote it. Pure.

lxml says whether a file is well-formed (its entities, a DOCTYPE and what is too deep are refused); then a scan of its
tags says where each element stands. Several root elements, as ES-DE writes them, are no fault.
"""

import codecs
import re
from collections.abc import Iterator

from models.errors import LootwireError

MOST_BYTES = 256 * 2**20
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TEXT_CODECS = re.compile(
    r"utf-(8|16-le|16-be)|ascii|iso8859-\d+|cp\d+|koi8-[ru]|shift_jis|euc_(jp|kr)|gb(2312|k|18030)|big5"
)
# A leaf in one step, since nearly all are; then comments, sections and instructions, then any other tag.
_TAG = re.compile(
    r"<(?:(?P<leaf>[^\s<>/!?\"']+)>[^<]*</(?P=leaf)\s*>"
    r"|!--.*?-->|!\[CDATA\[.*?\]\]>|\?.*?\?>"
    r"|(?P<close>/)?(?P<tag>[^\s<>/!?\"']+)[^<>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^<>\"']*)*>)",
    re.DOTALL,
)
_LEAF = re.compile(r"<([^\s<>/!?\"']+)>([^<]*)</\1\s*>")
_LEAVES = re.compile(r"\s*(?:<([^\s<>/!?\"']+)>[^<]*</\1\s*>\s*)*")
_MARKUP = re.compile("[&<>]")
_SECTION = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|(lt|gt|amp|quot|apos));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
# XML 1.0 has no place for these, not even as references.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Unreadable(LootwireError):
    """A file cannot be read as what it should be, and stays as it is; `line` counts from 1."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.line = line


class Element:
    """Where an element stands: its tags, what is between them, and the elements right in it."""

    __slots__ = ("_children", "_text", "close_start", "end", "open_end", "start", "tag")

    def __init__(self, tag: str, span: tuple[int, int], inside: tuple[int, int], text: str | None = None) -> None:
        self.tag = tag
        self.start, self.end = span
        self.open_end, self.close_start = inside
        # With the text its inside is yet to be scanned.
        self._text = text
        self._children: list[Element] = []

    @property
    def children(self) -> list["Element"]:
        if self._text is not None:
            self._children = _scan(self._text, self.open_end, self.close_start)
            self._text = None
        return self._children


class Markup:
    """A file of XML, its elements, and what is to be changed in it."""

    def __init__(self, data: bytes, entry: str = "") -> None:
        """Read a file; raises `Unreadable`, with the line where that is known.

        What is in the elements called `entry` is looked at when it is asked for.
        """
        self._data = data
        self._bom, self._encoding, self.text = _decode(data)
        self._edits: list[tuple[int, int, str]] = []
        declaration = _DECLARATION.match(self.text)
        self._begin = declaration.end() if declaration else 0
        _check(self.text, self._begin)
        self.roots = _scan(self.text, self._begin, len(self.text), entry)
        at = self.text.find("\n")
        self.line_end = "\r\n" if at > 0 and self.text[at - 1] == "\r" else "\n"

    def value(self, element: Element) -> str:
        """Return the text of an element, of those in it too."""
        raw = self.text[element.open_end : element.close_start]
        if "<" in raw:
            raw = _SECTION.sub(lambda section: escape(section[1]), raw)
            raw = re.sub(r"<[^>]*>", "", _COMMENT.sub("", raw))
        return _plain(raw)

    def plain_fields(self, element: Element) -> dict[str, str] | None:
        """Return the text of each element in another by its name, where all are leaves without attributes.

        None where they are not, so that each is to be looked at. Of those of one name the first counts.
        """
        inside = self.text[element.open_end : element.close_start]
        if _LEAVES.fullmatch(inside) is None:
            return None
        fields = dict(reversed(_LEAF.findall(inside)))
        if "&" in inside or "\r" in inside:
            return {tag: _plain(raw) if "&" in raw or "\r" in raw else raw for tag, raw in fields.items()}
        return fields

    def replace(self, start: int, end: int, text: str) -> None:
        """Put text in the place of some; what is written there must be markup."""
        self._edits.append((start, end, text))

    def set_value(self, element: Element, value: str) -> None:
        """Write the text of an element; attributes stay."""
        written = self.written(value)
        if self.is_empty_tag(element):
            opened = self.text[element.start : element.end - 2].rstrip()
            self.replace(element.start, element.end, f"{opened}>{written}</{element.tag}>")
        else:
            self.replace(element.open_end, element.close_start, written)

    def is_empty_tag(self, element: Element) -> bool:
        """Return whether an element is one tag: `<desc/>`."""
        return element.open_end == element.end

    def indent(self, position: int) -> str:
        """Return the line break and the white space before a position, empty where something else stands before it."""
        start = position
        while start > 0 and self.text[start - 1] in " \t":
            start -= 1
        if start > 0 and self.text[start - 1] == "\n":
            return self.line_end + self.text[start:position]
        return ""

    def written(self, value: str) -> str:
        """Return text as it is written into this file."""
        if value.isprintable() and not _MARKUP.search(value):
            return value
        value = escape(value)
        return value.replace("\n", self.line_end) if self.line_end != "\n" else value

    def encode(self) -> bytes:
        """Return the file with its changes; without any, its bytes as they were."""
        if not self._edits:
            return self._data
        parts, at = [], 0
        for start, end, text in sorted(self._edits, key=lambda edit: (edit[0], edit[1])):
            parts += [self.text[at:start], text]
            at = end
        parts.append(self.text[at:])
        return self._bom + "".join(parts).encode(self._encoding, "xmlcharrefreplace")


def escape(text: str) -> str:
    """Return text as XML; what no XML can hold is left out."""
    if not text.isprintable():
        text = _UNWRITABLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    return text.replace(">", "&gt;") if ">" in text else text


def is_writable(text: str) -> bool:
    """Return whether XML can hold a text as it is, on one line."""
    return not _UNWRITABLE.search(text) and not any(c in text for c in "\t\n\r")


def _decode(data: bytes) -> tuple[bytes, str, str]:
    """Return a file's BOM, its encoding and its text, which encodes to the same bytes again."""
    if len(data) > MOST_BYTES:
        raise Unreadable(f"it is larger than {MOST_BYTES // 2**20} MiB")
    bom, encoding = next((each for each in _BOMS if data.startswith(each[0])), (b"", ""))
    if not encoding:
        declared = _ENCODING.match(data.lstrip()[:300])
        try:
            encoding = codecs.lookup(declared[1].decode() if declared else "utf-8").name
        except LookupError:
            encoding = ""
        if not _TEXT_CODECS.fullmatch(encoding):
            raise Unreadable(f"its encoding {declared[1].decode() if declared else ''!r} is not known", 1)
    body = data[len(bom) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not {encoding}", body[: error.start].count(b"\n") + 1) from error
    if text.encode(encoding) != body:
        raise Unreadable(f"its {encoding} cannot be written as it was")
    return bom, encoding, text


def _check(text: str, begin: int) -> None:
    """Raise `Unreadable` for what is not well-formed, or has entities of its own."""
    from lxml import etree

    # On the first line, so that lines are counted as a person counts them.
    before = "".join(c if c == "\n" else " " for c in text[:begin])
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        etree.fromstring(f"<lootwire>{before}{text[begin:]}</lootwire>", parser)
    except etree.XMLSyntaxError as error:
        if "<!DOCTYPE" in text:
            line = text[: text.index("<!DOCTYPE")].count("\n") + 1
            raise Unreadable("it has a DOCTYPE, whose entities are refused", line) from error
        raise Unreadable(f"it is no XML: {error.msg}", error.lineno) from error
    except ValueError as error:
        raise Unreadable(f"it is no XML: {error}") from error


def _scan(text: str, begin: int, end: int, entry: str = "") -> list[Element]:
    """Return the elements of a part of well-formed text; those called `entry` are left to be scanned later."""
    roots: list[Element] = []
    inside, open_ones = roots, list[Element]()
    # In these a tag may stand that is none.
    is_plain = bool(entry) and not any(text.find(mark, begin) >= 0 for mark in ("<!", "<?"))
    bound = re.compile(rf"<(/?){re.escape(entry)}(?=[\s>/])")
    at = begin
    while (match := _TAG.search(text, at, end)) is not None:
        at, kind = match.end(), match.lastgroup
        if kind == "leaf":
            tag, start = match["leaf"], match.start()
            inside.append(Element(tag, (start, at), (start + len(tag) + 2, text.rindex("<", start, at))))
        elif kind == "tag":
            if match["close"]:
                closed = open_ones.pop()
                closed.close_start, closed.end = match.span()
                inside = open_ones[-1].children if open_ones else roots
                continue
            tag, start = match["tag"], match.start()
            if is_plain and tag == entry and text[at - 2] != "/":
                following = bound.search(text, at)
                if following is not None and following[1]:
                    last = text.index(">", following.end()) + 1
                    inside.append(Element(tag, (start, last), (at, following.start()), text))
                    at = last
                    continue
            element = Element(tag, (start, at), (at, at))
            inside.append(element)
            if text[at - 2] != "/":
                open_ones.append(element)
                inside = element.children
    return roots


def _plain(raw: str) -> str:
    """Return text without references, and with the line breaks that XML makes of all."""
    if "&" in raw:
        raw = _REFERENCE.sub(_referred, raw)
    return raw.replace("\r\n", "\n") if "\r" in raw else raw


def _referred(match: re.Match[str]) -> str:
    if match[3]:
        return _NAMED[match[3]]
    return chr(int(match[1], 16) if match[1] else int(match[2]))


def walk(elements: list[Element], tag: str) -> Iterator[Element]:
    """Yield the elements of one name among others."""
    return (element for element in elements if element.tag == tag)
