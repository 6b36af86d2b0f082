"""How much JSON is decoded before it is refused: a few megabytes can hold millions of values. Pure."""

from models.errors import LootwireError

# JSON values of one payload; a real one of 2.5 MB has 60,000.
MAX_VALUES = 500_000
# One campaign; the largest real ones name some thousand channels.
MAX_ITEM = 2 * 2**20
_BEGIN_VALUES = b",[{"
_COUNTED_AT_ONCE = 64 * 1024


class TooMuch(LootwireError):
    """A file or an answer is larger, deeper or more tightly packed than any real one."""


def check_values(payload: bytes) -> None:
    """Raise `TooMuch` for a payload that decoding would turn into millions of objects.

    Commas and brackets within texts count too: of real payloads they are a small part.
    """
    if len(payload) <= MAX_VALUES:
        return
    values = 0
    for begin in range(0, len(payload), _COUNTED_AT_ONCE):
        part = payload[begin : begin + _COUNTED_AT_ONCE]
        # Half as long as counting each of them.
        values += len(part) - len(part.translate(None, _BEGIN_VALUES))
    if values > MAX_VALUES:
        raise TooMuch(f"{values:,} JSON values: more than {MAX_VALUES:,}")
