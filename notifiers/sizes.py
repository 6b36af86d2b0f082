"""How services count the length of a message: each unit, and the ceilings of the services that count in it. Pure.

Every other service counts characters, up to the number that Apprise gives it (`body_maxlen`). No message of ours is
longer than 3,500 characters with a title of 200, so a ceiling that such a message never reaches has no row: the 32,000
bytes of Google Chat, the 65,536 of a Matrix event, the 256 KiB of Amazon SNS.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from urllib.parse import quote_plus


class Unit(StrEnum):
    """What a service counts; each is at least one for a character."""

    UTF8 = "bytes of UTF-8"
    UTF8_LINE = "bytes of UTF-8 in the longest line"
    UTF16 = "UTF-16 units"
    JSON = "bytes of JSON in ASCII"
    JSON_UTF8 = "bytes of JSON in UTF-8"
    QUERY = "bytes of a web address"
    POST_ON_X = "weighted characters of X"


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """How long a message may be for a service, or a part of it, in the service's own unit.

    `most` is None where Apprise's own number (`body_maxlen`) is right and only its unit is not. `source` says where the
    number is from.
    """

    unit: Unit
    most: int | None
    source: str
    part: Literal["all", "title", "body"] = "all"


def size(text: str, unit: Unit) -> int:
    """Return how long a text is in a unit."""
    return _SIZES[unit](text)


def _utf8(text: str) -> int:
    # No service takes a lone surrogate; a size is no place to fail for it.
    return len(text.encode("utf-8", "surrogatepass"))


def _longest_line(text: str) -> int:
    return max(map(_utf8, text.splitlines()), default=0)


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _json(text: str) -> int:
    return len(json.dumps(text)) - 2


def _json_utf8(text: str) -> int:
    return _utf8(json.dumps(text, ensure_ascii=False)) - 2


def _query(text: str) -> int:
    return len(quote_plus(text, errors="replace"))


def _post_on_x(text: str) -> int:
    # https://docs.x.com/fundamentals/counting-characters: those of most alphabets count one, all others two.
    return sum(1 if any(ord(c) in span for span in _LIGHT) else 2 for c in text)


_LIGHT = (range(0x1100), range(0x2000, 0x200E), range(0x2010, 0x2020), range(0x2032, 0x2038))
_SIZES: dict[Unit, Callable[[str], int]] = {
    Unit.UTF8: _utf8,
    Unit.UTF8_LINE: _longest_line,
    Unit.UTF16: _utf16,
    Unit.JSON: _json,
    Unit.JSON_UTF8: _json_utf8,
    Unit.QUERY: _query,
    Unit.POST_ON_X: _post_on_x,
}

_APNS = "Apple takes 4,096 bytes of JSON, of which the service's own fields take some (Finb/bark-server issue 123)"
_20_KB = "developers' pages: a request has at most 20,000 bytes; Apprise writes it as JSON in ASCII"
_WECOM = "developer.work.weixin.qq.com/document/path/91770: a text has at most 2,048 bytes"
_WEBEX = "developer.webex.com, create a message: at most 7,439 bytes"
_ADDRESS = "Apprise puts the message into the address, of which web servers take 8,192 bytes"
_X = "docs.x.com, counting characters"

# By the name of Apprise's plugin for a service: several schemes and forms of address can lead to it.
CEILINGS: dict[str, tuple[Ceiling, ...]] = {
    "NotifyBark": (Ceiling(unit=Unit.JSON_UTF8, most=3_500, source=_APNS),),
    "NotifyDingTalk": (Ceiling(unit=Unit.JSON, most=19_500, source=_20_KB),),
    "NotifyEnigma2": (Ceiling(unit=Unit.QUERY, most=7_500, source=_ADDRESS),),
    "NotifyFeishu": (Ceiling(unit=Unit.JSON, most=19_500, source=_20_KB),),
    "NotifyGoAlert": (
        Ceiling(unit=Unit.UTF8, most=None, part="body", source="Apprise's number is GoAlert's 6 KiB of details"),
    ),
    "NotifyGorush": (Ceiling(unit=Unit.JSON_UTF8, most=3_500, source=_APNS),),
    "NotifyIRC": (
        Ceiling(unit=Unit.UTF8_LINE, most=380, source="RFC 2812, 2.3: 512 bytes a line, with what Apprise reserves"),
    ),
    "NotifyLark": (Ceiling(unit=Unit.JSON, most=19_500, source=_20_KB),),
    "NotifyLine": (
        Ceiling(unit=Unit.UTF16, most=None, source="developers.line.biz, text-character-count: UTF-16 code units"),
    ),
    "NotifyNtfy": (
        Ceiling(
            unit=Unit.JSON,
            most=7_800,
            source="Apprise uploads more than 8,000 bytes as a file (ntfy_json_upstream_size_limit); 200 are for the "
            "topic and the names of fields",
        ),
        Ceiling(
            unit=Unit.UTF8,
            most=4_000,
            part="body",
            source="ntfy makes a file of a message that reaches its message-size-limit of 4,096 (server/server.go)",
        ),
    ),
    "NotifyOneSignal": (Ceiling(unit=Unit.JSON_UTF8, most=3_500, source=_APNS),),
    "NotifyParsePlatform": (Ceiling(unit=Unit.JSON_UTF8, most=3_500, source=_APNS),),
    "NotifyProwl": (Ceiling(unit=Unit.UTF8, most=None, part="body", source="not documented; its 10,000 may be bytes"),),
    "NotifyPushMe": (Ceiling(unit=Unit.QUERY, most=7_500, source=_ADDRESS),),
    # Apprise sends the text twice, as data and as a notification.
    "NotifyPushy": (Ceiling(unit=Unit.JSON_UTF8, most=1_750, source="pushy.me/docs: a payload has at most 4 KB"),),
    "NotifyRSyslog": (
        Ceiling(unit=Unit.UTF8, most=8_000, source="rsyslog's maxMessageSize is 8 KiB unless it is set"),
    ),
    "NotifySimplePush": (
        Ceiling(
            unit=Unit.UTF8,
            most=7_000,
            part="body",
            source="10,000 characters once encrypted, which is base64 of UTF-8 (Apprise, plugins/simplepush.py)",
        ),
        Ceiling(unit=Unit.UTF8, most=300, part="title", source="likewise 500 characters"),
    ),
    "NotifyTelegram": (
        Ceiling(
            unit=Unit.UTF16,
            most=4_096,
            source="core.telegram.org/bots/api, sendMessage: 4,096 after its tags are read, which are counted here too",
        ),
    ),
    "NotifyThreema": (
        Ceiling(unit=Unit.UTF8, most=3_500, source="gateway.threema.ch/developer/api: text of at most 3,500 bytes"),
        Ceiling(unit=Unit.QUERY, most=7_500, source=_ADDRESS),
    ),
    "NotifyTwitter": (Ceiling(unit=Unit.POST_ON_X, most=None, source=_X),),
    "NotifyViber": (Ceiling(unit=Unit.JSON, most=29_000, source="developers.viber.com: a request has at most 30 KB"),),
    "NotifyWeChat": (Ceiling(unit=Unit.UTF8, most=2_048, source=_WECOM),),
    "NotifyWeComBot": (Ceiling(unit=Unit.UTF8, most=2_048, source=_WECOM),),
    "NotifyWebexTeams": (Ceiling(unit=Unit.UTF8, most=None, source=_WEBEX),),
}
