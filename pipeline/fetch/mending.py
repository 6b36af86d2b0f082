"""Mend JSON in which a few characters, or one value nested too deep, would cost all the rest. Pure.

Services cut texts in the middle of an emoji, and a lone half of a surrogate pair is no JSON to msgspec, wherever it
stands. What is mended is what PostgreSQL could not keep anyway; broken structure is not guessed at here.
"""

import re
from typing import Any

import msgspec

from pipeline.fetch.shapes import UNREADABLE, Shape

# No real payload is nested deeper than fifteen levels; msgspec gives up below a thousand.
DEEPEST = 100
# Cutting looks at each bracket; the largest real payload has 60,000 of them.
_MOST_BRACKETS = 2_000_000
# More than so many bad characters are noise, not a text that was cut.
_MOST_ESCAPES = 100_000
# Mending takes several times the size in memory, and no real payload comes near this.
_LARGEST = 16 * 2**20
# Below, a value with an unreadable part is left out as a whole.
_DEEPEST_PART = 10
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_PARTS: msgspec.json.Decoder[dict[str, msgspec.Raw] | list[msgspec.Raw]] = msgspec.json.Decoder(
    dict[str, msgspec.Raw] | list[msgspec.Raw]
)
# Up to the next escape that is none: pairs of surrogates, other code points, and the short ones may stay. These
# patterns are possessive and only ever matched at a position, so that they take linear time on any input.
_SOUND = re.compile(
    rb"(?:[^\\]++|\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb'|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|["\\/bfnrt]))*+'
)
# Half of a pair goes; of a backslash that escapes nothing only the backslash.
_BAD = re.compile(rb"\\(?:u[dD][89a-fA-F][0-9a-fA-F]{2})?")
# Up to the next bracket that is in no string.
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"?)*+[\[\]{}]', re.DOTALL)
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\r"))
_SPACES = bytes.maketrans(b"\t\n\r", b"   ")


def readable(payload: bytes) -> bytes:
    """Return the payload as it is, or mended if it is JSON that cannot be read without."""
    if payload[:1] not in {b"{", b"["} and payload[:100].lstrip()[:1] not in {b"{", b"["}:
        return payload
    if is_readable(payload):
        return payload
    mended = mend(payload)
    return payload if mended is None else mended


def is_readable(payload: bytes) -> bool:
    """Whether the payload is one JSON value that can be cut into parts."""
    return fault_of(payload) is None


def fault_of(payload: bytes) -> str | None:
    """Return why the payload is not one JSON value that can be cut into parts; None where it is."""
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except UNREADABLE as error:
        return str(error)
    return None


def mend(payload: bytes) -> bytes | None:
    """Return the payload without bad escapes, control characters and broken UTF-8; None where it is no JSON even so.

    What is nested too deep becomes null, which says nothing. What is larger than 16 MiB is not mended.
    """
    if len(payload) > _LARGEST:
        return None
    text = payload if payload.isascii() else payload.decode(errors="replace").encode()
    mended = _shallow(_without_bad_escapes(text.translate(_SPACES, _CONTROLS)))
    return mended if is_readable(mended) else None


def decode_mended(decoder: msgspec.json.Decoder[Shape], raw: bytes | str | msgspec.Raw) -> Shape:
    """Decode JSON, mended where it cannot be decoded without; raises one of `UNREADABLE`."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError:
        # Sound JSON of another shape: no character is to blame.
        raise
    except UNREADABLE:
        payload = raw.encode(errors="replace") if isinstance(raw, str) else bytes(raw)
        mended = mend(payload)
        if mended is None or mended == payload:
            raise
        return decoder.decode(mended)


def decode_readable(raw: bytes | msgspec.Raw) -> tuple[Any, list[str]]:
    """Return a JSON value with null for each part of it that cannot be read, and why, part by part.

    Such a part is a number that is none to a machine, or what is nested too deep for it.
    """
    flat = _shallow(bytes(raw))
    problems = [] if flat == bytes(raw) else [f"nested deeper than {DEEPEST} levels"]
    return _readable_parts(flat, "$", problems), problems


def _readable_parts(raw: bytes | msgspec.Raw, path: str, problems: list[str]) -> Any:
    try:
        return decode_mended(_ANY, raw)
    except UNREADABLE as error:
        problem = f"{error} - at `{path}`"
    if path.count(".") < _DEEPEST_PART and (parts := _parts(raw)) is not None:
        if isinstance(parts, dict):
            return {key: _readable_parts(part, f"{path}.{key}", problems) for key, part in parts.items()}
        return [_readable_parts(part, f"{path}.{nth}", problems) for nth, part in enumerate(parts)]
    problems.append(problem)
    return None


def _parts(raw: bytes | msgspec.Raw) -> dict[str, msgspec.Raw] | list[msgspec.Raw] | None:
    try:
        return decode_mended(_PARTS, raw)
    except UNREADABLE:
        return None


def _without_bad_escapes(payload: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while len(parts) <= _MOST_ESCAPES:
        sound = _SOUND.match(payload, at)
        end = sound.end() if sound else at
        parts.append(payload[at:end])
        bad = _BAD.match(payload, end)
        if bad is None:
            return b"".join(parts)
        at = bad.end()
    return payload


def _shallow(payload: bytes) -> bytes:
    """Return the payload with null in place of what is nested too deep; as it is where its brackets do not fit."""
    if payload.count(b"[") + payload.count(b"{") > _MOST_BRACKETS:
        return payload
    parts: list[bytes] = []
    depth = at = kept_until = begins_at = 0
    while (match := _TO_BRACKET.match(payload, at)) is not None:
        at = match.end()
        if payload[at - 1] in b"[{":
            depth += 1
            begins_at = at - 1 if depth == DEEPEST + 1 else begins_at
            continue
        if depth == DEEPEST + 1:
            parts += [payload[kept_until:begins_at], b"null"]
            kept_until = at
        depth -= 1
        if depth < 0:
            return payload
    return b"".join([*parts, payload[kept_until:]]) if parts else payload
