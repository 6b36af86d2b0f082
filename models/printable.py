"""Makes text from outside fit for a terminal or a log: nothing in it moves a cursor, rings a bell or turns a line.

Pure. What is no letter, mark, figure, sign or space (`str.isprintable`) becomes a space: control characters, so that an
escape sequence is no more than its letters, changes of direction, what shows nothing.
"""

# Of a name in a sentence, or a text in a table.
NAME_LENGTH = 200


def printable(text: str) -> str:
    """Return text with its line breaks, and nothing else that is not to be seen."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


def on_a_line(text: str, length: int | None = None) -> str:
    """Return text as one line, of at most `length` characters where that is given; what is missing is an ellipsis."""
    line = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    return line if length is None or len(line) <= length else f"{line[: length - 1].rstrip()}…"


def escaped(text: str) -> str:
    r"""Return JSON that says the same, with what is not to be seen written as `\u202e`."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text)


def _escape(c: str) -> str:
    # Beyond the first 65,536 characters JSON has pairs.
    pair = c.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{pair[at : at + 2].hex()}" for at in range(0, len(pair), 2))
