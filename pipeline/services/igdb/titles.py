"""Turn titles into the forms that they are looked up by: a key of the whole title, and its words."""

import re
import unicodedata
from functools import lru_cache

from models.names import name_key
from pipeline.services.igdb.records import TitleKind, TitleRecord

# An index takes no entry of more than 2,704 bytes, and no title that people look for is this long.
KEY_LENGTH = 300
WORD_LENGTH = 60
TITLE_LENGTH = 1000
SHORTEST_HALVED = 4
_WORD = re.compile(r"[^\W_]+")
_ASCII_WORD = re.compile("[a-z0-9]+")
_APOSTROPHES = dict.fromkeys(map(ord, "'’ʼ`´"))

# The marks that make か into が are no accents: they make other words.
_VOICING = "\u3099\u309a"


def title_key(title: str) -> str:
    """Return the form under which two spellings of one title are equal: `name_key`, cut for an index."""
    return name_key(title)[:KEY_LENGTH]


@lru_cache(maxsize=4096)
def title_words(title: str) -> tuple[str, ...]:
    """Return the distinct words of a title in its order: lower case, without accents, of letters and digits alone.

    An apostrophe parts no words: "Dante's" is `dantes`. Scripts without spaces make long words.
    """
    if title.isascii():
        words = _ASCII_WORD.findall(title.lower().replace("'", ""))
    else:
        folded = unicodedata.normalize("NFKD", title.translate(_APOSTROPHES)).casefold()
        plain = "".join(c for c in folded if not unicodedata.combining(c) or c in _VOICING)
        words = _WORD.findall(unicodedata.normalize("NFC", plain))
    return tuple(dict.fromkeys(word[:WORD_LENGTH] for word in words))


def key_halves(key: str) -> tuple[str, ...]:
    """Return both halves of a key, as words that no title holds: one mistyped letter leaves one of them right.

    A key of fewer than four letters has none. The first half is the shorter one.
    """
    if len(key) < SHORTEST_HALVED:
        return ()
    return "<" + key[: len(key) // 2], ">" + key[len(key) // 2 :]


def title_record(title: str, kind: TitleKind) -> TitleRecord:
    """Return a title with its key, and with the words that it is found by: its own and its key's halves."""
    key = title_key(title)
    return TitleRecord(key, title[:TITLE_LENGTH], kind, (*title_words(title), *key_halves(key)))
