"""Turn a file's bytes into text, whatever its encoding, or say what it is instead. Pure."""

import codecs

from models.errors import UsageError

LARGEST = 64 * 2**20
# The longer marks first: UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Where zeros stand among the first four bytes, for text that begins with a character of ASCII and has no mark.
_ZEROS = (
    ((False, True, True, True), "utf-32-le"),
    ((True, True, True, False), "utf-32-be"),
    ((False, True, False, True), "utf-16-le"),
    ((True, False, True, False), "utf-16-be"),
)
_NO_TEXT = (
    (0, b"PK\x03\x04", "a ZIP archive or an Excel workbook; unpack it, or save the sheet as CSV"),
    (0, b"\xd0\xcf\x11\xe0", "an old Excel workbook; save the sheet as CSV"),
    (0, b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive; unpack it first"),
    (0, b"%PDF", "a PDF; copy its list into a text file"),
    (0, b"SQLite format 3\0", "an SQLite database; export it as CSV"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
)
_LITEDB = b"** This is a LiteDB file **"
_LOOKED_AT = 4096
# Of all characters, so many control characters are no text any more.
_MOST_CONTROLS = 0.05
_CONTROLS = dict.fromkeys([*(code for code in range(0x20) if chr(code) not in "\t\n\r"), 0x7F])


def as_text(data: bytes, name: str) -> str:
    r"""Return a file as text with `\n` between its lines and without control characters.

    UTF-8, UTF-16 and UTF-32 are told by their marks or their zeros; what is none of them is Windows-1252, which is what
    old programs of Windows write. Raises `UsageError` for what is no text, empty, or larger than 64 MiB.
    """
    _refuse(data, name)
    text = _decoded(data, name)
    if text.isascii() and text.isprintable():
        return text
    start = text[:_LOOKED_AT]
    # NUL alone is what badly written exports leave between fields; other control characters are a program or a picture.
    controls = sum(1 for sign in start if ord(sign) in _CONTROLS and sign != "\0")
    if controls > 3 and controls > _MOST_CONTROLS * len(start):
        raise UsageError(f"{name} is no text: neither an export nor a list of games")
    text = text.translate(_CONTROLS).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise UsageError(f"{name} is empty")
    return text


def _refuse(data: bytes, name: str) -> None:
    if not data.strip():
        raise UsageError(f"{name} is empty")
    if len(data) > LARGEST:
        raise UsageError(f"{name} has {len(data) / 2**20:.0f} MB; a library has {LARGEST // 2**20} at most")
    for at, signature, words in _NO_TEXT:
        if data.startswith(signature, at):
            raise UsageError(f"{name} is {words}")
    if _LITEDB in data[:_LOOKED_AT]:
        raise UsageError(
            f"{name} is a database of Playnite's own; export the library as JSON with one of Playnite's export "
            "extensions, and import that file"
        )


def _decoded(data: bytes, name: str) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding, name)
    zeros = tuple(byte == 0 for byte in data[:4])
    for pattern, encoding in _ZEROS:
        if zeros == pattern:
            return _strictly(data, encoding, name)
    try:
        return data.decode()
    except UnicodeDecodeError:
        # Five of its bytes are nothing.
        return data.decode("cp1252", errors="replace")


def _strictly(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeError as error:
        raise UsageError(f"{name} is not {encoding.upper()}, as its first bytes claim") from error
