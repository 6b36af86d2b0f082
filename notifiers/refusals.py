"""Says what a service's answer means: whether it is final, what it says in words, and when to ask again. Pure."""

import re
from collections.abc import Sequence

from notifiers.answers import HttpAnswer, MailReply
from notifiers.errors import DeliveryError
from notifiers.redaction import safe_words

# No second attempt cures these: the address is unknown there, or may not write. All else may pass.
PERMANENT_STATUSES = frozenset({401, 403, 404, 410})

# A shorter message may be taken; an answer of the second sort has other reasons as well.
TOO_LONG_STATUSES = frozenset({413, 414})
MAYBE_TOO_LONG_STATUSES = frozenset({400, 422})
# The service is busy, or was sent the request too slowly: another time it takes the same.
_BUSY_STATUSES = frozenset({408, 425, 429})
# ntfy's "attachments not allowed": it would make a file of a message that is too long for it (server/errors.go).
_NTFY_NO_FILES = 40014

_SMTP_TOO_LONG = 552
_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
# RFC 3463: a message longer than the mailbox, or the mail system, allows.
_TOO_LONG_DETAILS = frozenset({(2, 3), (3, 4)})
# RFC 3463 knows them as passing alone: a mailbox or a mail system that is full, a bad connection, a directory that
# fails, a congestion. Not 4.1, "no answer from host": Exchange refuses unknown recipients with 5.4.1.
_PASSING_DETAILS = frozenset({(2, 2), (3, 1), (4, 2), (4, 3), (4, 5)})


def http_refusal(answers: Sequence[HttpAnswer], url: str, *, is_ntfy: bool) -> DeliveryError:
    """Return why a message was not taken, by all refusals that a service gave to its requests; `url` is not in it."""
    last = answers[-1]
    no_files = is_ntfy and last.code == _NTFY_NO_FILES
    why = _hint(413 if no_files else last.status) or _quoted(last.words, url)
    return DeliveryError(
        f"the service answered with HTTP {last.status}{why}",
        # Several requests can make up one message; only if none of them may pass later it is hopeless.
        permanent=all(answer.status in PERMANENT_STATUSES for answer in answers),
        too_long=no_files or last.status in TOO_LONG_STATUSES,
        may_be_too_long=last.status in MAYBE_TOO_LONG_STATUSES,
        retry_after=max((answer.rest for answer in answers if answer.rest), default=None),
        is_for_all=any(answer.is_for_all for answer in answers),
        passing=all(answer.status in _BUSY_STATUSES or answer.status >= 500 for answer in answers),
    )


def mail_refusal(reply: MailReply, url: str) -> DeliveryError:
    """Return why a mail was not taken, with the mail server's own words but nothing of `url`.

    A reply from 500 on is final (RFC 5321, 4.2.1), unless its enhanced code says that it passes or that the mail was
    too long (RFC 3463).
    """
    enhanced = _ENHANCED.match(reply.words)
    kind = enhanced[1] if enhanced else "5"
    detail = (int(enhanced[2]), int(enhanced[3])) if enhanced else None
    passes = reply.code < 500 or kind == "4" or detail in _PASSING_DETAILS
    too_long = not passes and (reply.code == _SMTP_TOO_LONG or detail in _TOO_LONG_DETAILS)
    return DeliveryError(
        f"the mail server answered with {reply.code}{_quoted(reply.words, url)}",
        permanent=not passes and not too_long,
        too_long=too_long,
        passing=passes,
    )


def _quoted(words: str, url: str) -> str:
    shown = safe_words(words, url)
    return f": {shown}" if shown else ""


def _hint(status: int) -> str:
    hints = {
        401: ": the address's token or password is not accepted",
        403: ": the address is not allowed to write there",
        404: ": there is nothing at that address",
        410: ": what was at that address is gone",
        413: ": the message is too long for it",
        414: ": the message is too long for it",
        429: ": it wants fewer messages",
    }
    redirect = ": it redirects, which is not followed" if 300 <= status < 400 else ""
    return hints.get(status, redirect)
