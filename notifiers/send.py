"""Sends one message to one address through Apprise, and says in words that hold no secret why it was refused."""

import re
import shlex
from datetime import timedelta
from email.header import Header
from typing import Any

from notifiers import apprise_urls
from notifiers.carrying import carry
from notifiers.errors import DeliveryError, TargetError
from notifiers.escape import cut
from notifiers.hearing import PATIENCE, Hearing, Patience, listening
from notifiers.refusals import http_refusal, mail_refusal
from notifiers.render import Message

SUBJECT_LENGTH = 900

# Not permanent: once it is allowed, what waits is sent.
PRIVATE = (
    "its address leads to a private network or to this machine, which is refused unless it is allowed: "
    "`lootwire targets set {target} --private`, or `private = true` in its block of a rules file"
)
# Of services with a protocol of their own Apprise tells nothing but in its log lines.
_UNREACHABLE = re.compile(r"connection error|connection .*(?:refused|failed)", re.IGNORECASE)


def send(
    url: str,
    message: Message,
    patience: Patience = PATIENCE,
    opened: apprise_urls.Opened | None = None,
    *,
    may_be_private: bool = False,
    target: str = "NAME",
) -> timedelta | None:
    """Send a message in the format that the service shows best; returns once the service has taken it.

    Returns for how long the service wants no other message, where it says so. Raises DeliveryError if it did not take
    the message, or if we do not know (`unanswered`). Many threads may send at the same time. Never call this in a
    process that forks afterwards: the child would hang. `opened` is what the address leads to, where the caller knows.
    Unless it `may_be_private`, nothing is sent to an address that is not one of the internet;
    the error names the `target`, for which a person may allow it.
    """
    try:
        opened = opened or apprise_urls.open_url(url, patience)
    except TargetError as error:
        # Checked when it was added, so a newer version judges it otherwise; a person may undo that.
        raise DeliveryError(str(error)) from error
    carry(opened.service, opened.limits.shape, message.payload)
    title = subject(message.title) if opened.is_mail else message.title
    if opened.is_mail:
        # What the address itself says goes first.
        opened.service.headers = {**message.headers, **opened.service.headers}
    with listening(patience, may_be_private=may_be_private) as hearing:
        result = _notify(
            opened.service,
            title="" if opened.merges_title else title,
            body=message.body_with_title(opened.form) if opened.merges_title else message.body(opened.form),
            body_format=opened.form.value,
        )
    # A mail server that took the mail and then hung up has it all the same.
    if not result and not hearing.is_taken:
        raise _refusal(url, opened, hearing, result, target)
    return hearing.rest


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


def _refusal(url: str, opened: apprise_urls.Opened, hearing: Hearing, result: Any, target: str) -> DeliveryError:
    """Say why a message was not taken, by what was heard of the service."""
    if hearing.is_private:
        return DeliveryError(PRIVATE.format(target=shlex.quote(target)))
    refusals = [answer for answer in hearing.answers if not answer.is_good]
    # A good status whose body got lost may have been no good answer after all, as Apprise judges some by their bodies.
    cut_off = not refusals and not all(answer.is_whole for answer in hearing.answers)
    if hearing.is_unanswered or cut_off:
        server = "mail server" if opened.is_mail else "service"
        reason = f"the {server} took the message and never answered; it may have arrived"
        return DeliveryError(reason, unanswered=True, retry_after=hearing.rest)
    if hearing.lacking:
        return DeliveryError(f"the mail server offers {hearing.lacking}")
    if hearing.refusal is not None:
        return mail_refusal(hearing.refusal, url)
    if refusals or hearing.answers:
        return http_refusal(refusals or hearing.answers, url, is_ntfy=opened.is_ntfy)
    return _silence(hearing, result)


def _silence(hearing: Hearing, result: Any) -> DeliveryError:
    """Say why a message was not taken where no service said anything."""
    if result.status.name == "TIMEOUT":
        return DeliveryError("the service did not answer in time", passing=True)
    if hearing.unreachable:
        return DeliveryError(f"the service could not be reached: {hearing.unreachable}", passing=True)
    if hearing.is_attempted or any(_UNREACHABLE.search(entry.message) for entry in result.logs()):
        return DeliveryError("the service could not be reached or did not answer in time", passing=True)
    return DeliveryError("the service did not take the message")
