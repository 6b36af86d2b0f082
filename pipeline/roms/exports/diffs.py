"""Unified diffs of files of any length: difflib alone takes minutes for a hundred thousand lines. Pure.

Lines that both files have once each are the same lines (as in a patience diff), and only what is between them is
compared by difflib.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_CONTEXT = 3
# What is between two such lines and longer than this is said to be replaced as a whole.
_LONGEST = 2000

Block = tuple[str, int, int, int, int]


def unified(old: bytes | None, new: bytes, name: str) -> str:
    """Return how a file changes, empty where it does not; bytes that are no UTF-8 are shown as such."""
    if old == new:
        return ""
    before = [] if old is None else _lines(old)
    after = _lines(new)
    written = [f"--- {'/dev/null' if old is None else name}\n", f"+++ {name}\n"]
    for group in _groups(list(_blocks(before, after))):
        (_, first, _, begin, _), (_, _, last, _, end) = group[0], group[-1]
        written.append(f"@@ -{_range(first, last)} +{_range(begin, end)} @@\n")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                written += [f" {line}" for line in before[i1:i2]]
            else:
                written += [f"-{line}" for line in before[i1:i2]]
                written += [f"+{line}" for line in after[j1:j2]]
    return "".join(written)


def _lines(data: bytes) -> list[str]:
    lines = data.decode(errors="backslashreplace").split("\n")
    whole = [f"{line}\n" for line in lines[:-1]]
    return [*whole, f"{lines[-1]}\n\\ No newline at end of file\n"] if lines[-1] else whole


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[Block]:
    """Yield blocks that are equal or not, in order and without gaps."""
    i = j = 0
    for at, to in (*_anchors(old, new), (len(old), len(new))):
        yield from _between(old, new, (i, at), (j, to))
        if at < len(old):
            yield "equal", at, at + 1, to, to + 1
        i, j = at + 1, to + 1


def _between(old: Sequence[str], new: Sequence[str], a: tuple[int, int], b: tuple[int, int]) -> Iterator[Block]:
    (i, at), (j, to) = a, b
    if i >= at and j >= to:
        return
    if i >= at or j >= to or max(at - i, to - j) > _LONGEST:
        yield "replace", i, at, j, to
        return
    matcher = SequenceMatcher(None, old[i:at], new[j:to], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        yield tag, i + i1, i + i2, j + j1, j + j2


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Return the places of lines that both have once, as many as are in the same order."""
    old_counts, new_counts = Counter(old), Counter(new)
    place = {line: number for number, line in enumerate(new) if new_counts[line] == 1}
    pairs = [(number, place[line]) for number, line in enumerate(old) if old_counts[line] == 1 and line in place]
    # The longest sequence that rises: https://en.wikipedia.org/wiki/Longest_increasing_subsequence
    tops: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for number, (_, at) in enumerate(pairs):
        depth = bisect_left(tops, at)
        previous.append(last[depth - 1] if depth else -1)
        if depth == len(tops):
            tops.append(at)
            last.append(number)
        else:
            tops[depth], last[depth] = at, number
    chain, number = [], last[-1] if last else -1
    while number >= 0:
        chain.append(pairs[number])
        number = previous[number]
    return chain[::-1]


def _groups(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    """Yield blocks with the lines around them, those that are near each other together."""
    group: list[Block] = []
    for tag, i1, i2, j1, j2 in _joined(blocks):
        if tag != "equal":
            group.append((tag, i1, i2, j1, j2))
            continue
        if group and i2 - i1 > 2 * _CONTEXT:
            yield [*group, (tag, i1, i1 + _CONTEXT, j1, j1 + _CONTEXT)]
            group = []
        if not group:
            skip = max(0, i2 - i1 - _CONTEXT)
            group = [(tag, i1 + skip, i2, j1 + skip, j2)]
        else:
            group.append((tag, i1, i2, j1, j2))
    if len(group) > 1 or (group and group[0][0] != "equal"):
        tag, i1, i2, j1, j2 = group[-1]
        if tag == "equal":
            group[-1] = (tag, i1, min(i2, i1 + _CONTEXT), j1, min(j2, j1 + _CONTEXT))
        yield group


def _joined(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield blocks with those that are equal and follow each other as one."""
    held: Block | None = None
    for block in blocks:
        if held is not None and held[0] == block[0] == "equal":
            held = ("equal", held[1], block[2], held[3], block[4])
            continue
        if held is not None:
            yield held
        held = block
    if held is not None:
        yield held


def _range(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + 1 if length else start},{length}"
