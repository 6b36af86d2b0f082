"""Compare two titles, and say in words why they are alike or not. Pure and symmetric."""

from collections.abc import Iterable

import msgspec
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from pipeline.games.matching.normalise import Title

SAME_TEXT = 1.0
SAME_LETTERS = 0.995
SAME_SPELLING = 0.99
SAME_WORDS = 0.97
SAME_BUT_EDITION = 0.92
# From here down no title alone makes a match sure (decide.SURE is above it).
SAME_BUT_X = 0.86
SAME_BUT_EDITIONS = 0.86
SAME_BUT_REWORK = 0.82
SAME_HEAD = 0.84
MOST_RESEMBLING = 0.88
OTHER_NUMBER = 0.35
FIRST_PART = 0.04
OTHER_YEAR = 0.15


class Similarity(msgspec.Struct, frozen=True, gc=False):
    """How alike two titles are, 0 to 1, and why."""

    score: float
    why: str


def compare_titles(title: Title, other: Title) -> Similarity:
    """Return how alike two titles are; the same text is 1, and in either order it is the same."""
    if title.text == other.text:
        return Similarity(SAME_TEXT, "the same title")
    if title.text.casefold() == other.text.casefold():
        return Similarity(SAME_LETTERS, "the same but for capitals")
    if title.key and title.key == other.key:
        return Similarity(SAME_SPELLING, "the same but for punctuation")
    if title.words and title.words == other.words:
        return _same_words(title, other)
    if title.base and title.base == other.base:
        return _same_base(title, other)
    return _resembling(title, other)


def _same_words(title: Title, other: Title) -> Similarity:
    if title.is_x != other.is_x:
        return Similarity(SAME_BUT_X, "the same if X is a number")
    return Similarity(SAME_WORDS, "the same but for numerals, articles or signs")


def _same_base(title: Title, other: Title) -> Similarity:
    if title.rework != other.rework:
        named = " ".join(sorted({*title.rework, *other.rework}))
        return Similarity(SAME_BUT_REWORK, f"the same but for `{named}`")
    if title.is_x != other.is_x:
        return Similarity(SAME_BUT_X, "the same if X is a number")
    if title.edition and other.edition and title.edition != other.edition:
        return Similarity(SAME_BUT_EDITIONS, "another edition of the same")
    return Similarity(SAME_BUT_EDITION, "the same but for an edition or a platform")


def _resembling(title: Title, other: Title) -> Similarity:
    score, why = _likeness(title, other)
    penalty, reason = _numbers_apart(title, other)
    return Similarity(max(0.0, score - penalty), f"{why}, {reason}" if reason else why)


def _likeness(title: Title, other: Title) -> tuple[float, str]:
    if not title.words or not other.words:
        return 0.0, "nothing to compare"
    if _is_head(title, other) or _is_head(other, title):
        return SAME_HEAD, "one has a subtitle more"
    # The order of the arguments must not matter: of ties in alignment some of these pick the first.
    first, second = sorted((" ".join(title.words), " ".join(other.words)))
    spelled = OSA.normalized_similarity(first, second)
    sorted_too = fuzz.token_sort_ratio(first, second) / 100
    shared = fuzz.token_set_ratio(first, second) / 100
    score = max(spelled, 0.6 * sorted_too + 0.4 * spelled, 0.55 * shared + 0.35 * spelled)
    return score * MOST_RESEMBLING, f"resembling by {score:.0%}"


def _is_head(title: Title, other: Title) -> bool:
    """Return whether one title is the other's beginning, up to a subtitle; a single short word says too little."""
    return title.words == other.head and len("".join(title.words)) > 3


def _numbers_apart(title: Title, other: Title) -> tuple[float, str]:
    """Return what different numbers cost: "FIFA 22" is not "FIFA 23", nor is "Portal" "Portal 2"."""
    # Both are sorted, and most titles have none.
    if title.numbers == other.numbers:
        return 0.0, ""
    more, less = _without(title.numbers, other.numbers), _without(other.numbers, title.numbers)
    if (more, less) in ((["1"], []), ([], ["1"])):
        return FIRST_PART, "a first part's number"
    numbers = "/".join(sorted([" ".join(more) or "none", " ".join(less) or "none"]))
    if not (more and less) and all(_is_year(number) for number in more + less):
        return OTHER_YEAR, f"a year more ({numbers})"
    return OTHER_NUMBER, f"other numbers ({numbers})"


def _without(numbers: Iterable[str], others: Iterable[str]) -> list[str]:
    left = list(numbers)
    for number in others:
        if number in left:
            left.remove(number)
    return left


def _is_year(number: str) -> bool:
    return len(number) == 4 and number.isdigit() and 1800 <= int(number) <= 2099
