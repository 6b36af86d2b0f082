"""Reads a rules file, and says of a mistake in which line it is and what was meant. Pure."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import tomlkit
from pydantic import BaseModel, ValidationError
from tomlkit.exceptions import ParseError, TOMLKitError

from models.errors import LootwireError
from models.mistakes import reason_of
from models.names import nearest
from notifiers.rules.shapes import (
    BLOCKS,
    Defaults,
    DigestBlock,
    FollowBlock,
    QuietBlock,
    Rules,
    SubscriptionBlock,
    TargetBlock,
)

_MODELS: Mapping[str, type[BaseModel]] = {
    "defaults": Defaults,
    "target": TargetBlock,
    "subscription": SubscriptionBlock,
    "follow": FollowBlock,
}
_HEADER = re.compile(r"^\s*(\[\[?)\s*([\w.-]+)\s*\]\]?")


class RulesError(LootwireError):
    """A rules file is wrong; the text names the file and the line of each mistake."""


class Mistake(NamedTuple):
    """Something that is wrong in a file of rules; its line counts from 1, and is 0 where the whole file is meant."""

    line: int
    text: str


@dataclass(frozen=True, kw_only=True)
class ReadRules:
    """What a file's text says, as far as it is right, and all that is wrong in it.

    `numbers` tells of each block of `rules` which of its kind in the text it is, and `targets` are the names of all,
    also of those of which nothing is right.
    """

    text: str = ""
    rules: Rules = field(default_factory=Rules)
    mistakes: tuple[Mistake, ...] = ()
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    targets: frozenset[str] = frozenset()

    def line(self, block: str, number: int, key: str | None = None) -> int:
        """Return the line of a key of a block that is right, the so-manieth of `rules`, or of the block itself."""
        numbers = self.numbers.get(block, ())
        return line_of(self.text, block, numbers[number] if number < len(numbers) else 0, key)


def listed(name: str, mistakes: Iterable[Mistake]) -> str:
    """Return mistakes as lines for a person, `name:line: what is wrong`, each once and in the order of the file."""
    return "\n".join(
        f"{name}:{mistake.line}: {mistake.text}" if mistake.line else mistake.text for mistake in sorted(set(mistakes))
    )


def read_rules(text: str, name: str) -> Rules:
    """Return the rules of a file's text; settings, which are no tables, are left alone.

    Raises RulesError, which names all mistakes as `name:line: what is wrong`.
    """
    read = look_at_rules(text)
    if read.mistakes:
        raise RulesError(listed(name, read.mistakes))
    return read.rules


def look_at_rules(text: str, settings: Collection[str] | None = None) -> ReadRules:
    """Return the rules of a file's text without what is wrong in them, and the mistakes; raises nothing.

    `settings` are the names of all settings: with them another one before the first block is a mistake.
    """
    try:
        document = tomlkit.parse(text).unwrap()
    except ParseError as error:
        return ReadRules(text=text, mistakes=(Mistake(error.line, _sentence(str(error))),))
    except TOMLKitError as error:
        return ReadRules(text=text, mistakes=(_mistake_without_line(text, str(error)),))
    blocks = {key: value for key, value in document.items() if key in BLOCKS}
    problems = _problems(blocks)
    right, numbers = _right_blocks(blocks, problems)
    read = ReadRules(text=text, rules=Rules.model_validate(right), numbers=numbers, targets=_names(blocks))
    mistakes = [*_unknown_blocks(document, text), *(_mistake(problem, text) for problem in problems)]
    mistakes += _with_nul(blocks, text)
    if settings is not None:
        mistakes += _unknown_settings(document, text, settings)
    return replace(read, mistakes=(*mistakes, *_twice(read), *_nowhere(read)))


def _mistake_without_line(text: str, reason: str) -> Mistake:
    """Return a mistake whose line tomlkit does not say, as that of a key that stands there twice; tomllib says it."""
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        if at := re.search(r"at line (\d+)", str(error)):
            return Mistake(int(at[1]), _sentence(reason))
    return Mistake(1, _sentence(reason))


def _problems(blocks: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    try:
        Rules.model_validate(blocks)
    except ValidationError as error:
        return error.errors()
    return ()


def _right_blocks(
    blocks: Mapping[str, Any], problems: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Return the blocks without the keys that are wrong, and which of their kind these are.

    What is left of a block is looked at further, so that all its mistakes are named in one run; one of which nothing
    can be left is left out.
    """
    places = [problem["loc"] for problem in problems]
    right: dict[str, Any] = {}
    numbers: dict[str, list[int]] = {}
    for kind, value in blocks.items():
        if kind == "defaults":
            rest = _rest_of(kind, value, [place[1:2] for place in places if place[0] == kind])
            right |= {} if rest is None else {kind: rest}
        elif (kind,) not in places:
            rests = [
                _rest_of(kind, block, [place[2:3] for place in places if place[:2] == (kind, number)])
                for number, block in enumerate(value)
            ]
            right[kind] = [rest for rest in rests if rest is not None]
            numbers[kind] = [number for number, rest in enumerate(rests) if rest is not None]
    return right, numbers


def _rest_of(kind: str, block: Any, wrong: Collection[tuple[Any, ...]]) -> Any:
    """Return a block without the keys that are wrong; None where without them it is none."""
    if not wrong:
        return block
    if () in wrong or kind == "follow":
        # A block that follows nothing any more would be a mistake of its own.
        return None
    keys = {place[0] for place in wrong}
    rest = {key: value for key, value in block.items() if key not in keys}
    try:
        _MODELS[kind].model_validate(rest)
    except ValidationError:
        return None
    return rest


def _names(blocks: Mapping[str, Any]) -> frozenset[str]:
    targets = blocks.get("target")
    named = targets if isinstance(targets, list) else []
    names = (block.get("name") for block in named if isinstance(block, dict))
    return frozenset(name for name in names if isinstance(name, str))


def line_of(text: str, block: str, number: int, key: str | None = None) -> int:
    """Return the line of a key in the block of a kind that is the so-manieth, or that of the block itself; from 1."""
    lines = text.splitlines()
    begins = [at for at, line in enumerate(lines) if (header := _HEADER.match(line)) and header[2] == block]
    if number >= len(begins):
        return next((at for at, line in enumerate(lines, 1) if re.match(rf"\s*{re.escape(block)}\s*=", line)), 1)
    begin = begins[number]
    if key is not None:
        for at in range(begin + 1, len(lines)):
            header = _HEADER.match(lines[at])
            if header and not header[2].startswith(f"{block}."):
                break
            if (header and header[2].split(".")[1] == key) or re.match(rf"\s*\"?{re.escape(key)}\"?\s*[.=]", lines[at]):
                return at + 1
    return begin + 1


def _unknown_blocks(document: Mapping[str, Any], text: str) -> Iterable[Mistake]:
    """Yield tables that are no blocks of rules: what stood in one before would be taken for gone."""
    for key, value in document.items():
        if key not in BLOCKS and _is_block(value):
            written = f"[[{key}]]" if isinstance(value, list) else f"[{key}]"
            yield Mistake(line_of(text, key, 0), f"there is no {written}{_meant(key, BLOCKS)}")


def _unknown_settings(document: Mapping[str, Any], text: str, settings: Collection[str]) -> Iterable[Mistake]:
    """Yield keys before the first block that are no settings: nobody would read them."""
    for key, value in document.items():
        if key in BLOCKS or key in settings or _is_block(value):
            continue
        near = nearest(key, list(settings), 1)
        blocks = [f"[{name}]" if name == "defaults" else f"[[{name}]]" for name in _MODELS if key in _fields(name, ())]
        meant = f", did you mean `{near[0]}`?" if near else ""
        way = f"write it below {' or '.join(blocks)}" if blocks else f"there is no such setting{meant}"
        yield Mistake(line_of(text, key, 0), f"`{key}` stands in no block; {way}")


def _with_nul(blocks: Mapping[str, Any], text: str) -> Iterable[Mistake]:
    """Yield texts that PostgreSQL cannot keep."""
    for block, value in blocks.items():
        for number, table in enumerate(value if isinstance(value, list) else [value]):
            for key, inner in table.items() if isinstance(table, dict) else ():
                if any("\0" in each for each in _texts(inner)):
                    yield Mistake(line_of(text, block, number, key), f"`{key}`: no text may hold U+0000")


def _texts(value: Any) -> Iterable[str]:
    """Yield all texts in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _is_block(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value))


def _mistake(problem: Mapping[str, Any], text: str) -> Mistake:
    block, *rest = problem["loc"]
    number = rest.pop(0) if rest and isinstance(rest[0], int) else 0
    key = next((str(part) for part in rest if isinstance(part, str)), None)
    line = line_of(text, str(block), number, key)
    if problem["type"] == "extra_forbidden":
        unknown = str(problem["loc"][-1])
        return Mistake(line, f"there is no `{unknown}`{_meant(unknown, _fields(str(block), rest[:-1]))}")
    if problem["type"] == "missing":
        return Mistake(line_of(text, str(block), number), f"[[{block}]] needs `{problem['loc'][-1]}`")
    if problem["type"] in {"model_type", "list_type"} and key is None:
        written = f"[{block}]" if block == "defaults" else f"[[{block}]]"
        return Mistake(line, f"`{block}` is a block: write {written}, and its keys below it")
    reason = reason_of(problem)
    if key is None and (begins := re.match(r"`(\w+)`", reason)):
        # What is wrong with a whole block begins with the key that is to blame.
        return Mistake(line_of(text, str(block), number, begins[1]), reason)
    return Mistake(line, f"`{key}`: {reason}" if key else reason)


def _fields(block: str, within: Sequence[Any]) -> Iterable[str]:
    """Return the keys that a block may have."""
    inner: dict[str, type[BaseModel]] = {"quiet": QuietBlock, "digest": DigestBlock, "heartbeat": DigestBlock}
    for part in within:
        if part in inner:
            return inner[part].model_fields
    return _MODELS[block].model_fields if block in _MODELS else BLOCKS


def _meant(written: str, known: Iterable[str]) -> str:
    near = nearest(written, list(known), 1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _twice(read: ReadRules) -> Iterable[Mistake]:
    """Yield names that two blocks have."""
    blocks: Mapping[str, Sequence[TargetBlock | SubscriptionBlock]]
    blocks = {"target": read.rules.target, "subscription": read.rules.subscription}
    for kind, alike in blocks.items():
        first: dict[str, int] = {}
        for number, block in enumerate(alike):
            before = first.setdefault(block.name, number)
            if before != number:
                too = f"{block.name!r} is the name of the [[{kind}]] in line {read.line(kind, before)} too"
                yield Mistake(read.line(kind, number, "name"), too)


def _nowhere(read: ReadRules) -> Iterable[Mistake]:
    """Yield blocks that follow nothing."""
    needs = "[[follow]] needs `channels`, `categories`, `games`, `lists` or `drops`"
    for number, follow in enumerate(read.rules.follow):
        if follow == FollowBlock(top=follow.top):
            yield Mistake(read.line("follow", number), needs)


def _sentence(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
