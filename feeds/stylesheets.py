"""Look for what is left open in a stylesheet: a browser leaves out all that follows, and says nothing. Pure."""

import re
from collections.abc import Iterator

_CLOSED_BY = {"{": "}", "(": ")", "[": "]"}
_PARTS = re.compile(
    r"""/\*.*?(?:\*/|\Z) | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'? | \\. | [{}()\[\]]""", re.DOTALL | re.VERBOSE
)


def problems_of_style(name: str, text: str) -> Iterator[str]:
    """Yield what is left open, or closed without being open, in the stylesheet of this name, each with its line."""
    opened: list[tuple[str, int]] = []
    for match in _PARTS.finditer(text):
        part, line = match[0], text.count("\n", 0, match.start()) + 1
        if part in _CLOSED_BY:
            opened.append((part, line))
        elif part in _CLOSED_BY.values():
            if not opened or _CLOSED_BY[opened[-1][0]] != part:
                yield f'{name}, line {line}: "{part}" closes nothing that is open'
                return
            opened.pop()
        elif (part.startswith("/*") and not part.endswith("*/", 2)) or part in {'"', "'"}:
            yield f"{name}, line {line}: what begins here is never closed: {part[:20].strip()}"
            return
        elif part[0] in "\"'" and part[-1] != part[0]:
            yield f"{name}, line {line}: the text that begins here is never closed: {part[:20]}"
            return
    for part, line in opened:
        yield f'{name}, line {line}: "{part}" is never closed'
