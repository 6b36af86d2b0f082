"""Places on a playlist as text that is compared byte by byte: between any two there is another. Pure.

A new last or first place counts on from the one at that end, so that ten thousand sounds that are added one after the
other have short places; only one between two others may be longer than both.
"""

import string

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE = len(_DIGITS)
# Of the part that counts: room for 28 billion to either side of the first.
_COUNTED = 6
FIRST = _DIGITS[_BASE // 2].ljust(_COUNTED, _DIGITS[0])


def place_between(before: str | None, after: str | None) -> str:
    """Return a place behind `before` and in front of `after`; without one of them at that end, without both the first.

    Raises `ValueError` where they are not in this order.
    """
    if before is None and after is None:
        return FIRST
    if after is None and before is not None:
        return _counted(before, 1)
    if before is None and after is not None:
        return _counted(after, -1)
    if before is None or after is None or before >= after:
        raise ValueError(f"{before!r} is not in front of {after!r}")
    return _middle(before, after)


def places_between(before: str | None, after: str | None, count: int) -> list[str]:
    """Return so many places, one behind the other, all of them between two others, or at an end without one of them."""
    if count <= 0:
        return []
    if before is not None and after is not None:
        # Halves of halves: the places of a thousand are two digits longer, not a hundred.
        half = count // 2
        middle = place_between(before, after)
        return [
            *places_between(before, middle, half),
            middle,
            *places_between(middle, after, count - half - 1),
        ]
    places: list[str] = []
    for _ in range(count):
        if before is None and after is not None:
            after = place_between(None, after)
            places.insert(0, after)
        else:
            before = place_between(before, None)
            places.append(before)
    return places


def _counted(place: str, step: int) -> str:
    number = 0
    for digit in place[:_COUNTED].ljust(_COUNTED, _DIGITS[0]):
        number = number * _BASE + _DIGITS.index(digit)
    number += step
    if not 0 <= number < _BASE**_COUNTED:
        raise ValueError(f"there is no room beside {place!r}")
    counted = ""
    for _ in range(_COUNTED):
        number, digit_value = divmod(number, _BASE)
        counted = _DIGITS[digit_value] + counted
    return counted


def _middle(before: str, after: str) -> str:
    """Return what lies between two places, read as fractions: the first digit by which they differ leaves room or not.

    It never ends with the least digit, so there is always room in front of it.
    """
    made = ""
    for number, upper in enumerate(after):
        lower = _DIGITS.index(before[number]) if number < len(before) else 0
        gap = _DIGITS.index(upper) - lower
        if gap > 1:
            return made + _DIGITS[lower + gap // 2]
        made += _DIGITS[lower]
        if gap == 1:
            # Everything that goes on from here is in front of `after`.
            return made + _above(before[number + 1 :])
    raise ValueError(f"nothing lies between {before!r} and {after!r}")


def _above(rest: str) -> str:
    """Return digits that are behind `rest`, with as few as that takes."""
    made = ""
    for digit in rest:
        value = _DIGITS.index(digit)
        if value < _BASE - 1:
            return made + _DIGITS[value + (_BASE - value) // 2]
        made += digit
    return made + _DIGITS[_BASE // 2]
