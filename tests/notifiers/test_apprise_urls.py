import pytest

from notifiers.apprise_urls import check_url, load, open_url
from notifiers.errors import TargetError
from notifiers.render import Format
from notifiers.services import ALLOWED_SCHEMES, LOCAL_SCHEMES

SECRET = "s3cr3t"

# An address that we do not send to, and what the refusal says.
REFUSED = {
    "": "empty",
    "   ": "empty",
    SECRET: "no Apprise URL",
    f"{SECRET}:no-slashes": "no Apprise URL",
    f"://{SECRET}": "no Apprise URL",
    f"json://host/{SECRET} with spaces": "no Apprise URL",
    f"json://host/{SECRET}\n": "no Apprise URL",
    f"json://host/{SECRET}\x00": "no Apprise URL",
    f"json://host/{SECRET}, discord://1/{SECRET}": "several addresses",
    f"json://host/{SECRET},json://other/": "several addresses",
    f"json://host/{SECRET * 1000}": "longer than",
    f"file:///etc/{SECRET}": "on this computer",
    f"dbus://{SECRET}": "on this computer",
    "gnome://": "on this computer",
    "kde://": "on this computer",
    "qt://": "on this computer",
    "glib://": "on this computer",
    "gio://": "on this computer",
    "windows://": "on this computer",
    "macosx://": "on this computer",
    "syslog://": "on this computer",
    "blink1://": "on this computer",
    f"vapid://ann@example.org/{SECRET}": "no service",
    f"script://{SECRET}": "no service",
    f"disocrd://123456/{SECRET}": r"Did you mean discord://\?",
    f"https://example.org/{SECRET}": "jsons://",
    f"http://example.org/{SECRET}": "json://",
    "json://": "misspelled",
    f"discord://{SECRET}": "see https://appriseit.com/services/discord",
    f"tgram://{SECRET}": "misspelled",
    f"xmpp://user:{SECRET}@host/": "Python package",
    f"mailto://ann:{SECRET}@example.org?to=a@example.org,b@example.org": "several recipients",
    f"mailto://ann:{SECRET}@example.org/a@example.org/b@example.org": "several recipients",
    f"mailto://ann:{SECRET}@example.org/?to=nobody": "no valid recipient",
    f"mailto://ann:{SECRET}@example.org/?cc=b@example.org": "cc= is not allowed",
    f"mailtos://ann:{SECRET}@example.org/?bcc=b@example.org": "bcc= is not allowed",
    f"mailto://ann:{SECRET}@example.org/?pgp=sign": "pgp= is not allowed",
    f"mailto://ann:{SECRET}@example.org/?pgpprv=/etc/{SECRET}": "pgpprv= is not allowed",
    f"mailto://ann:{SECRET}@example.org/?wkd=yes": "wkd= is not allowed",
    f"json://host/?attach=/etc/{SECRET}": "attach= is not allowed",
    f"json://host/?ATTACH=/etc/{SECRET}": "attach= is not allowed",
    f"json://host/{SECRET}?redirect=yes": "redirect= is not allowed",
    f"json://host/{SECRET}?optional=yes": "optional= is not allowed",
    f"discord://123456/{SECRET}?template=/etc/passwd": "template= is not allowed",
    f"https://discord.com/api/webhooks/123456/{SECRET}?template=/etc/passwd": "template= is not allowed",
    f"synology://host/{SECRET}?file_url=http://10.0.0.1/": "file_url= is not allowed",
    f"fcm://{SECRET}/token?keyfile=/etc/passwd": "no service",
    f"slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/{SECRET}a/{SECRET}b": "several recipients",
}

# An address that we send to, and the label that it is shown under.
TAKEN = {
    f"json://example.org/{SECRET}": "JSON (example.org)",
    f"JSONS://user:{SECRET}@example.org:8443/{SECRET}": "JSON (example.org)",
    f"mailto://ann:{SECRET}@gmail.com": "Email (smtp.gmail.com)",
    f"mailto://127.0.0.1:2525/?from=a@example.org&to={SECRET}@example.org": "Email (127.0.0.1)",
    f"mailtos://ann:{SECRET}@mail.example.org?to=b@example.org&name=Loot": "Email (mail.example.org)",
    f"discord://123456/{SECRET}": "Discord",
    f"https://discord.com/api/webhooks/123456/{SECRET}": "Discord",
    f"tgram://123456789:abcdefg_hijklmnop-{SECRET}/12315544/": "Telegram",
    f"ntfys://{SECRET}": "ntfy",
    f"ntfy://ntfy.example.org/{SECRET}": "ntfy (ntfy.example.org)",
    f"gotify://gotify.example.org/{SECRET}abcdefghi": "Gotify (gotify.example.org)",
    f"json://example.org/?+X-Key={SECRET}&-q=1&:message=text&overflow=split&verify=no": "JSON (example.org)",
}


@pytest.mark.parametrize(("url", "words"), REFUSED.items(), ids=[url[:60] for url in REFUSED])
def test_an_address_that_we_do_not_send_to_is_refused_without_repeating_it(
    url: str, words: str, logged: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TargetError, match=words) as caught:
        check_url(url)
    assert SECRET not in str(caught.value)
    assert SECRET not in "".join(logged)
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize(("url", "label"), TAKEN.items(), ids=[url[:60] for url in TAKEN])
def test_an_address_that_we_send_to_is_labelled_without_its_secret(
    url: str, label: str, logged: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert check_url(url) == label
    assert SECRET not in "".join(logged) + "".join(capfd.readouterr())
    assert SECRET not in repr(open_url(url))


def test_every_service_of_apprise_is_either_allowed_or_left_out_on_purpose() -> None:
    load()
    from apprise.manager_plugins import NotificationManager

    known = set(NotificationManager().schemas())  # type: ignore[no-untyped-call]
    left_out = LOCAL_SCHEMES | {"vapid", "fcm", "deltachat", "deltachats"}
    assert known - ALLOWED_SCHEMES - left_out == set(), "a new Apprise brought services: look at them"
    assert ALLOWED_SCHEMES - known == set(), "a new Apprise dropped services"


def test_our_options_win_over_those_of_the_address() -> None:
    service = open_url("json://example.org/?rto=900&cto=900&retry=9&wait=60").service
    assert (service.request_timeout, service.retry, service.wait) == ((20.0, 120.0), 0, 0)
    assert (service.optional, service.redirects) == (False, False)
    assert open_url("mailto://ann:pw@example.org").service.socket_connect_timeout == 20


FORMS = {
    "mailto://ann:pw@example.org": (Format.HTML, False),
    "mailto://ann:pw@example.org?format=text": (Format.TEXT, False),
    "tgram://123456789:abcdefg_hijklmnop-abcdefgh/12315544/": (Format.HTML, True),
    "discord://123456/token": (Format.MARKDOWN, True),
    "discord://123456/token?format=text": (Format.TEXT, True),
    "ntfy://host/topic": (Format.TEXT, False),
    "json://host/": (Format.TEXT, False),
    # They would show the backslashes of Markdown.
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general": (Format.TEXT, False),
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general?format=markdown": (Format.TEXT, False),
    "gchat://workspace/key/token": (Format.TEXT, True),
    "rocket://hook/token@host/#room": (Format.TEXT, True),
    "zalo://123456789:abcdefghijklmnopqrs/123456": (Format.TEXT, True),
    # Its Markdown of either version has no escapes inside an emphasis.
    "tgram://123456789:abcdefg_hijklmnop-abcdefgh/12315544/?format=markdown": (Format.HTML, True),
    "tgram://123456789:abcdefg_hijklmnop-abcdefgh/12315544/?format=Markdown&mdv=1": (Format.HTML, True),
    "tgram://123456789:abcdefg_hijklmnop-abcdefgh/12315544/?format=text": (Format.TEXT, True),
    "ntfy://host/topic?format=markdown": (Format.MARKDOWN, False),
    f"pover://{'a' * 30}@{'b' * 30}": (Format.TEXT, False),
}


@pytest.mark.parametrize(("url", "expected"), FORMS.items())
def test_a_message_gets_the_form_that_its_service_shows_best(url: str, expected: tuple[Format, bool]) -> None:
    opened = open_url(url)
    assert (opened.form, opened.merges_title) == expected


def test_limits_follow_the_service() -> None:
    discord, sms = open_url("discord://123456/token").limits, open_url("freemobile://12345678@password").limits
    assert discord.title + discord.body < 2000
    assert sms.title + sms.body < 160


@pytest.mark.parametrize(
    ("url", "pictures"),
    [
        ("mailto://ann:pw@gmail.com", True),
        ("tgram://123456789:abcdefg_hijklmnop/98765", False),
        ("discord://123456/token", False),
    ],
)
def test_mails_alone_show_pictures(url: str, pictures: bool) -> None:
    assert open_url(url).limits.pictures is pictures
