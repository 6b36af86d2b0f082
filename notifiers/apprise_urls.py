"""Judges the addresses of targets, and opens them as Apprise services with our options.

Apprise is imported on first use: it takes 0.7 s and 19 MB that only a process that sends has to pay.
"""

import difflib
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from notifiers.errors import TargetError
from notifiers.guard import is_private_by_name
from notifiers.hearing import PATIENCE, Patience
from notifiers.render import Format, Limits, Shape
from notifiers.services import (
    ALLOWED_SCHEMES,
    EVENT_SCHEMES,
    HOST_SCHEMES,
    INSTEAD_OF_MARKDOWN,
    LOCAL_SCHEMES,
    MAIL_SCHEMES,
    MARKDOWN_SCHEMES,
    MERGING_SCHEMES,
    OWN_PROTOCOLS,
    REFUSED_OPTIONS,
)
from notifiers.sizes import CEILINGS

URL_LENGTH = 4000
# What Apprise calls the mode of a service without a server of one's own.
_CLOUDS = frozenset({"cloud", "t2bot"})
# Between the requests of one message; a longer rest is kept by the outbox.
LONGEST_THROTTLE_SECONDS = 10.0

_FORM = re.compile(r"([A-Za-z0-9][A-Za-z0-9+.-]{0,30})://[^\s\x00-\x1f\x7f]*")
_SECOND_URL = re.compile(r"[\s,;]+[A-Za-z0-9]+://")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,100}")
SHAPES = {
    "discord": Shape.DISCORD,
    "matrix": Shape.CHAT,
    "matrixs": Shape.CHAT,
    "slack": Shape.SLACK,
    "tgram": Shape.CHAT,
}
# A service with less room than this for HTML gets text or Markdown.
# A mail has its style with it; Gmail cuts what is longer than 102 KB.
MAIL_LENGTH = 60_000
_HTML_ROOM = 4000


@dataclass(frozen=True)
class Opened:
    """An Apprise service with our timeouts and no retries, and how a message for it has to be.

    `merges_title` says that the title has to be a part of the body, because the service has no field for it or
    reads it as markup. The limits are such that it takes a message in one piece. `is_mail` says that the title
    becomes a mail header, `is_ntfy` that the codes of its errors are ntfy's.
    """

    # Its text would show the address.
    service: Any = field(repr=False)
    form: Format
    merges_title: bool
    is_mail: bool
    is_ntfy: bool
    limits: Limits


def check_url(url: str) -> str:
    """Return the label under which an address may be shown, such as "Discord" or "Email (smtp.example.org)".

    Raises TargetError, which repeats nothing of the address but its scheme, if it is not one that we send to.
    """
    results = _parse(url)
    service = _build(results, PATIENCE)
    _check_recipients(service)
    return _label(service, results["schema"])


def is_private(url: str) -> bool:
    """Return whether an address leads to a private network by its host alone, as far as it has one."""
    service = _build(_parse(url), PATIENCE)
    host = getattr(service, "smtp_host", None) or getattr(service, "host", None)
    return bool(host) and _has_host(service) and is_private_by_name(str(host))


def _has_host(service: Any) -> bool:
    """Return whether the host of an address is one: services of one place keep a token or a topic there."""
    is_cloud = getattr(service, "mode", None) in _CLOUDS
    return not is_cloud and any("{host}" in template for template in service.templates)


def open_url(url: str, patience: Patience = PATIENCE) -> Opened:
    """Return what an address leads to; raises TargetError if this version no longer takes it."""
    results = _parse(url)
    scheme = results["schema"]
    # `format=text` asks a chat for the text alone; the format of a web hook is that of its message.
    is_rich = scheme in EVENT_SCHEMES or results.get("format", "").lower() != Format.TEXT
    service = _build(results, patience)
    return Opened(
        service=service,
        form=_form(service, scheme, results.get("format")),
        merges_title=service.title_maxlen <= 0 or scheme in MERGING_SCHEMES,
        is_mail=scheme in MAIL_SCHEMES,
        is_ntfy=scheme in {"ntfy", "ntfys"},
        limits=_limits(service, pictures=scheme in MAIL_SCHEMES, shape=_shape(scheme), is_rich=is_rich),
    )


def takes_events(url: str) -> bool:
    """Return whether what an address leads to gets the events themselves, beside what is said of them."""
    return url.partition("://")[0].lower() in EVENT_SCHEMES


@cache
def load() -> Any:
    """Import Apprise, and keep what it logs to ourselves: its lines and urllib3's hold addresses and tokens."""
    for name in ("apprise", "urllib3"):
        logger = logging.getLogger(name)
        logger.propagate = False
        # Without any handler Python would print warnings to stderr.
        logger.addHandler(logging.NullHandler())
    logging.getLogger("apprise").setLevel(logging.DEBUG)
    with warnings.catch_warnings():
        # On Python 3.11 and 3.12 its mail plugin imports the deprecated imghdr.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        _plugins().load_modules()
    # They need what it has loaded.
    from notifiers import guard, http_wire, mail_wire

    os.register_at_fork(after_in_child=_forget_pools)
    guard.install()
    http_wire.install()
    mail_wire.install()
    # `verify=no` is the operator's choice; the warning would name the host.
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    return apprise


def _forget_pools() -> None:
    """Let a child of this process make Apprise's pools anew: their threads do not survive a fork."""
    vars(sys.modules["apprise.apprise"]).update(_shared_executor=None, _coordinator_executor=None)


def _plugins() -> Any:
    from apprise.manager_plugins import NotificationManager

    return NotificationManager()  # type: ignore[no-untyped-call]


@cache
def asset(service_timeout: float = 0) -> Any:
    """Return the settings that services share: nothing on disk, no redirects, no pictures from elsewhere.

    `service_timeout` is the number of seconds after which Apprise gives a service up; with 0 it never does.
    """
    return load().AppriseAsset(
        app_id="Lootwire",
        app_desc="Lootwire",
        app_url="",
        # Otherwise each message would show a picture that the recipient loads from a third party.
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
        interpret_escapes=False,
        storage_mode="memory",
        service_timeout=service_timeout,
        allow_templates=False,
    )


def _check_form(url: str) -> str:
    """Return the scheme in lower case."""
    if not url.strip():
        raise TargetError("The address is empty; give an Apprise URL such as ntfys://ntfy.sh/my-topic.")
    if _SECOND_URL.search(url):
        raise TargetError("These are several addresses; add one target for each.")
    if len(url) > URL_LENGTH:
        raise TargetError(f"The address is longer than {URL_LENGTH} characters.")
    match = _FORM.fullmatch(url)
    if match is None:
        raise TargetError("This is no Apprise URL; one looks like ntfys://ntfy.sh/my-topic, without spaces.")
    scheme = match[1].lower()
    if scheme in LOCAL_SCHEMES:
        raise TargetError(f"{scheme}:// opens something on this computer; messages are only sent over the network.")
    if scheme not in ALLOWED_SCHEMES and scheme not in {"http", "https"}:
        close = difflib.get_close_matches(scheme, ALLOWED_SCHEMES, n=1, cutoff=0.75)
        hint = f" Did you mean {close[0]}://?" if close else ""
        raise TargetError(f"{scheme}:// is no service that we send to.{hint} See https://appriseit.com/services/")
    return scheme


def _parse(url: str) -> dict[str, Any]:
    """Return an address taken apart; raises TargetError for a scheme or an option that we refuse."""
    scheme = _check_form(url)
    load()
    from apprise import plugins

    results = plugins.url_to_dict(url)  # type: ignore[no-untyped-call]
    if not results or results.get("schema") not in ALLOWED_SCHEMES:
        raise _unknown_web_address(scheme) if scheme in {"http", "https"} else _unreadable(scheme)
    _check_options(results)
    return dict(results)


def _check_options(results: dict[str, Any]) -> None:
    """Refuse the options that read files, redirect, hide failures or add recipients."""
    for option in results.get("qsd", {}):
        reason = REFUSED_OPTIONS.get(option)
        if reason is not None:
            raise TargetError(f"The option {option}= is not allowed: {reason}.")


def _build(results: dict[str, Any], patience: Patience) -> Any:
    scheme = results["schema"]
    # What is heard on the wire has deadlines there. The rest Apprise leaves to a few threads that all targets share, so
    # that one service which hangs would keep the others waiting.
    timeout = patience.other if scheme in OWN_PROTOCOLS else 0
    results |= {"rto": min(patience.http_answer, timeout or patience.http_answer), "cto": patience.connect}
    results |= {"retry": 0, "wait": 0, "store": False}
    results |= {"optional": False, "redirect": False}
    if results.get("format", Format.MARKDOWN).lower() == Format.MARKDOWN and scheme in INSTEAD_OF_MARKDOWN:
        results["format"] = INSTEAD_OF_MARKDOWN[scheme]
    # If our own limits are ever wrong, a shortened message is better than a refused one.
    results.setdefault("overflow", "truncate")
    service = load().Apprise.instantiate(results, asset=asset(timeout))
    if service is None:
        raise _unreadable(scheme)
    service.throttle = partial(_throttle, service.throttle)
    return service


def _throttle(original: Callable[..., None], last_io: Any = None, wait: float | None = None) -> None:
    """Pause between two requests as Apprise wants it, but never for as long as a service may ask."""
    if wait is not None and wait > LONGEST_THROTTLE_SECONDS:
        raise RuntimeError("the service asks for a rest")
    original(last_io=last_io, wait=wait)


def _unknown_web_address(scheme: str) -> TargetError:
    # Apprise knows the web hooks of Discord, Slack and others by their own address.
    return TargetError(
        f"This {scheme}:// address belongs to no service that is known; for a web hook of your own write "
        f"{'jsons' if scheme == 'https' else 'json'}:// instead of {scheme}://."
    )


def _unreadable(scheme: str) -> TargetError:
    plugin = _plugins()[scheme]
    if not plugin.enabled:
        return TargetError(f"{scheme}:// needs a Python package that is not installed here.")
    return TargetError(f"This {scheme}:// address is incomplete or misspelled; see {plugin.setup_url}")


def _check_recipients(service: Any) -> None:
    recipients = getattr(service, "targets", None)
    count = len(recipients) if isinstance(recipients, list | tuple | set) else None
    if count == 0 and service.schema in MAIL_SCHEMES:
        raise TargetError(f"This {service.schema}:// address has no valid recipient; add ?to=you@example.org.")
    # One refusal among several recipients would send to the others again and again.
    if len(service) > 1 or (count is not None and count > 1):
        raise TargetError(f"This {service.schema}:// address has several recipients; add one target for each.")


def _label(service: Any, scheme: str) -> str:
    name = "Email" if scheme in MAIL_SCHEMES else str(service.service_name)
    host = service.smtp_host if scheme in MAIL_SCHEMES else service.host
    shown = scheme in HOST_SCHEMES or (scheme in {"ntfy", "ntfys"} and service.mode == "private")
    return f"{name} ({host})" if shown and host and _HOST.fullmatch(host) else name


def _form(service: Any, scheme: str, wanted: str | None) -> Format:
    """Return which rendering reads best at a service; a `format=` in its address decides among those it can show."""
    declared = service.notify_format
    formats = [Format(f) for f in (declared if isinstance(declared, list | tuple) else (declared,))]
    if wanted is not None:
        return Format(wanted)
    if SHAPES.get(scheme) is Shape.CHAT:
        return Format.HTML
    if formats[0] == Format.HTML and service.body_maxlen >= _HTML_ROOM:
        return Format.HTML
    if formats[0] == Format.MARKDOWN or scheme in MARKDOWN_SCHEMES:
        return Format.MARKDOWN
    return Format.TEXT


def _shape(scheme: str) -> Shape:
    return Shape.EVENTS if scheme in EVENT_SCHEMES else SHAPES.get(scheme, Shape.PLAIN)


def _limits(service: Any, *, pictures: bool, shape: Shape, is_rich: bool) -> Limits:
    ours = Limits()
    room = int(service.body_maxlen)
    # An SMS has no room for both: half of it is the title's.
    title = min(ours.title, room // 2, service.title_maxlen if service.title_maxlen > 0 else room)
    # Some services count the title with the body, and their dialects add characters; a tenth is kept free for it.
    body = max(room - title - room // 10, 20)
    return Limits(
        title=title,
        body=min(ours.body, body),
        html=min(MAIL_LENGTH if pictures else ours.html, body),
        pictures=pictures,
        shape=shape,
        is_rich=is_rich,
        ceilings=tuple(
            ceiling if ceiling.most is not None else replace(ceiling, most=room)
            for ceiling in CEILINGS.get(type(service).__name__, ())
        ),
    )
