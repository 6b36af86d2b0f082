"""Finds whole words in texts of any language. Pure."""

import functools
import re
import unicodedata
from collections.abc import Iterable

# Scripts that put no space between words: there a word may stand anywhere.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def has_word(texts: Iterable[str], word: str) -> bool:
    """Return whether a text has a word, or words in a row; case and the width of letters do not count."""
    pattern = _pattern(word)
    return pattern is not None and any(pattern.search(folded(text)) for text in texts)


def folded(text: str) -> str:
    """Return a text in the form in which words are compared."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@functools.lru_cache(4096)
def _pattern(word: str) -> re.Pattern[str] | None:
    parts = folded(word).split()
    if not parts:
        return None
    begins = "" if _is_unspaced(parts[0][0]) else r"(?<!\w)"
    ends = "" if _is_unspaced(parts[-1][-1]) else r"(?!\w)"
    return re.compile(begins + r"\s+".join(map(re.escape, parts)) + ends)


def _is_unspaced(letter: str) -> bool:
    # A sign, as in "C++", has no letters of its own word beside it.
    return bool(_UNSPACED.match(letter)) or not (letter.isalnum() or letter == "_")
