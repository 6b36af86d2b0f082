"""Reads a rules file, and says of a mistake in which line it is and what was meant. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import tomlkit
from pydantic import BaseModel, ValidationError
from tomlkit.exceptions import ParseError

from models.errors import UsageError
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


class RulesError(UsageError):
    """A rules file is wrong; the text names the file and the line of each mistake."""


class _Mistake(NamedTuple):
    line: int
    text: str


def read_rules(text: str, name: str) -> Rules:
    """Return the rules of a file's text; settings, which are no tables, are left alone.

    Raises RulesError, which names all mistakes as `name:line: what is wrong`.
    """
    try:
        document = tomlkit.parse(text).unwrap()
    except ParseError as error:
        raise RulesError(f"{name}:{error.line}: {_sentence(str(error))}") from None
    blocks = {key: value for key, value in document.items() if key in BLOCKS}
    unknown = [*_unknown_blocks(document, text)]
    try:
        rules = Rules.model_validate(blocks)
    except ValidationError as error:
        mistakes = [*unknown, *(_mistake(problem, text) for problem in error.errors())]
        raise RulesError(_listed(name, mistakes)) from None
    if unknown:
        raise RulesError(_listed(name, unknown))
    if mistakes := [*_twice(rules, text), *_nowhere(rules, text)]:
        raise RulesError(_listed(name, mistakes))
    return rules


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


def _unknown_blocks(document: Mapping[str, Any], text: str) -> Iterable[_Mistake]:
    """Yield tables that are no blocks of rules: what stood in one before would be taken for gone."""
    for key, value in document.items():
        is_list = isinstance(value, list) and any(isinstance(each, dict) for each in value)
        if key not in BLOCKS and (is_list or isinstance(value, dict)):
            written = f"[[{key}]]" if is_list else f"[{key}]"
            yield _Mistake(line_of(text, key, 0), f"there is no {written}{_meant(key, BLOCKS)}")


def _listed(name: str, mistakes: Iterable[_Mistake]) -> str:
    return "\n".join(f"{name}:{mistake.line}: {mistake.text}" for mistake in sorted(mistakes))


def _mistake(problem: Mapping[str, Any], text: str) -> _Mistake:
    block, *rest = problem["loc"]
    number = rest.pop(0) if rest and isinstance(rest[0], int) else 0
    key = next((str(part) for part in rest if isinstance(part, str)), None)
    line = line_of(text, str(block), number, key)
    if problem["type"] == "extra_forbidden":
        unknown = str(problem["loc"][-1])
        return _Mistake(line, f"there is no `{unknown}`{_meant(unknown, _fields(str(block), rest[:-1]))}")
    if problem["type"] == "missing":
        return _Mistake(line_of(text, str(block), number), f"[[{block}]] needs `{problem['loc'][-1]}`")
    if problem["type"] in {"model_type", "list_type"} and key is None:
        written = f"[{block}]" if block == "defaults" else f"[[{block}]]"
        return _Mistake(line, f"`{block}` is a block: write {written}, and its keys below it")
    named = f"`{key}`: " if key else ""
    return _Mistake(line, f"{named}{reason_of(problem)}")


def _fields(block: str, within: Sequence[Any]) -> Iterable[str]:
    """Return the keys that a block may have."""
    inner: dict[str, type[BaseModel]] = {"quiet": QuietBlock, "digest": DigestBlock}
    for part in within:
        if part in inner:
            return inner[part].model_fields
    return _MODELS[block].model_fields if block in _MODELS else BLOCKS


def _meant(written: str, known: Iterable[str]) -> str:
    near = nearest(written, list(known), 1)
    return f"; did you mean `{near[0]}`?" if near else ""


def _twice(rules: Rules, text: str) -> Iterable[_Mistake]:
    """Yield names that two blocks have."""
    blocks: Mapping[str, Sequence[TargetBlock | SubscriptionBlock]]
    blocks = {"target": rules.target, "subscription": rules.subscription}
    for kind, listed in blocks.items():
        first: dict[str, int] = {}
        for number, block in enumerate(listed):
            before = first.setdefault(block.name, number)
            if before != number:
                too = f"{block.name!r} is the name of the [[{kind}]] in line {line_of(text, kind, before)} too"
                yield _Mistake(line_of(text, kind, number, "name"), too)


def _nowhere(rules: Rules, text: str) -> Iterable[_Mistake]:
    """Yield blocks that follow nothing."""
    needs = "[[follow]] needs `channels`, `categories`, `games`, `lists` or `drops`"
    for number, follow in enumerate(rules.follow):
        if follow == FollowBlock(top=follow.top):
            yield _Mistake(line_of(text, "follow", number), needs)


def _sentence(text: str) -> str:
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
