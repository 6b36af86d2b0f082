"""Sends one message to one address through Apprise, and says in words that hold no secret why it was refused."""

import re
from collections.abc import Iterable
from email.header import Header
from typing import Any

from notifiers import apprise_urls
from notifiers.errors import DeliveryError, TargetError
from notifiers.escape import cut
from notifiers.render import Message

# No second attempt cures these: the address is unknown there, or may not write. All else may pass.
PERMANENT_STATUSES = frozenset({401, 403, 404, 410})

# A shorter message may be taken; an answer of the second sort has other reasons as well.
TOO_LONG_STATUSES = frozenset({413, 414})
MAYBE_TOO_LONG_STATUSES = frozenset({400, 422})
# ntfy's "attachments not allowed": it would make a file of a message that is too long for it (server/errors.go).
_NTFY_NO_FILES = 40014
_SMTP_TOO_LONG = 552

SUBJECT_LENGTH = 900

# Apprise exposes a status nowhere but in its log lines. The codes of ntfy are HTTP's with two digits more; those of
# others, such as WeCom, only look like it.
_HTTP_STATUS = re.compile(r"\berror=(\d{3})\b")
_NTFY_CODE = re.compile(r"^Failed to send ntfy notification .*\berror=(\d{5})\.$", re.DOTALL)
_SMTP_STATUS = re.compile(r"^Socket Exception: \((\d{3}),|was refused: (\d{3})\b")
_UNREACHABLE = re.compile(r"connection error|connection .*(?:refused|failed)", re.IGNORECASE)


def send(url: str, message: Message) -> None:
    """Send a message in the format that the service shows best; returns once the service has taken it.

    Raises DeliveryError if it did not, or if we do not know: a service that is slower than its time limit may have
    taken the message all the same. Never call this in a process that forks afterwards: the child would hang.
    """
    try:
        opened = apprise_urls.open_url(url)
    except TargetError as error:
        # Checked when it was added, so a newer version judges it otherwise; a person may undo that.
        raise DeliveryError(str(error)) from error
    title = subject(message.title) if opened.is_mail else message.title
    result = _notify(
        opened.service,
        title="" if opened.merges_title else title,
        body=message.body_with_title(opened.form) if opened.merges_title else message.body(opened.form),
        body_format=opened.form.value,
    )
    if not result:
        raise _refusal(result)


def subject(title: str) -> str:
    """Return a title so short that a mail server takes it as a subject.

    Apprise writes headers in one line, of which a server takes 998 characters (RFC 5321, 4.5.3.1.6); encoded, a
    Korean letter takes nine of them.
    """
    while len(Header(title, "utf-8").encode(maxlinelen=0)) > SUBJECT_LENGTH:
        title = cut(title, len(title) - 5)
    return title


def _notify(service: Any, **message: str) -> Any:
    """Return Apprise's result with its log lines, which stay in memory."""
    apprise = apprise_urls.load()
    caller = apprise.Apprise(service, asset=apprise_urls.asset())
    return caller.notify(notify_type=apprise.NotifyType.INFO, log_level=10, **message)


def _refusal(result: Any) -> DeliveryError:
    """Say why a message was not taken, in our own words: log lines may quote the address or the answer."""
    lines = [(entry.level, entry.message) for entry in result.logs()]
    # Debug lines quote answers, in which a server could write a status of its liking.
    warnings = [text for level, text in lines if level != "DEBUG"]
    codes = _statuses(_NTFY_CODE, warnings)
    if statuses := [code // 100 for code in codes] or _statuses(_HTTP_STATUS, warnings):
        return _http_refusal(statuses, no_files=_NTFY_NO_FILES in codes)
    if replies := _statuses(_SMTP_STATUS, (text for _, text in lines)):
        return DeliveryError(f"the mail server answered with {replies[-1]}", too_long=replies[-1] == _SMTP_TOO_LONG)
    if result.status.name == "TIMEOUT":
        return DeliveryError("the service did not answer in time")
    if any(_UNREACHABLE.search(text) for _, text in lines):
        return DeliveryError("the service could not be reached or did not answer in time")
    return DeliveryError("the service did not take the message")


def _http_refusal(statuses: list[int], *, no_files: bool) -> DeliveryError:
    last = statuses[-1]
    return DeliveryError(
        f"the service answered with HTTP {last}{_hint(413 if no_files else last)}",
        # Several requests can make up one message; only if none of them may pass later it is hopeless.
        permanent=all(status in PERMANENT_STATUSES for status in statuses),
        too_long=no_files or last in TOO_LONG_STATUSES,
        may_be_too_long=last in MAYBE_TOO_LONG_STATUSES,
    )


def _statuses(pattern: re.Pattern[str], texts: Iterable[str]) -> list[int]:
    return [int(next(filter(None, match.groups()))) for text in texts for match in pattern.finditer(text)]


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
