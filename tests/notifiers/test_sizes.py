import json
from urllib.parse import quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from models.details import BenefitLine, CampaignDetail, DropLine
from notifiers.apprise_urls import load, open_url
from notifiers.render import Format, Limits, Message, render_message
from notifiers.services import ALLOWED_SCHEMES
from notifiers.sizes import CEILINGS, Ceiling, Unit, size
from notifiers.view import EventText
from tests.examples import examples
from tests.notifiers.ntfy import ntfy_server
from tests.notifiers.world import NOON, Notifying, event_text

pytestmark = pytest.mark.long

NAMES = {
    "latin": "Golden helmet of the seventh dawn",
    "cyrillic": "Золотой шлем седьмого рассвета из далёкой северной крепости",
    "korean": "일곱번째새벽의황금투구와망토그리고장화와북쪽요새의은빛검과방패",
    "emoji": "🎁🪖🌅🎁🪖🌅🎁🪖🌅🎁🪖🌅🎁🪖🌅🎁🪖🌅🎁🪖🌅🎁🪖🌅",
    "quotes": '"\\"\\"\\"\\" \\n "\\"\\"\\"',
}

# An address of each service that counts in a unit of its own.
ADDRESSES = {
    "NotifyBark": "bark://host/device",
    "NotifyDingTalk": "dingtalk://abcdefghijkl/12345678901",
    "NotifyEnigma2": "enigma2://host",
    "NotifyFeishu": "feishu://abcdefghijkl",
    "NotifyGoAlert": "goalert://host/12345678-1234-1234-1234-123456789012",
    "NotifyGorush": "gorush://host/ios/abcdefghijkl",
    "NotifyIRC": "irc://host/#room",
    "NotifyLark": "lark://abcdefghijkl",
    "NotifyLine": "line://abcdefghijkl/Uabc",
    "NotifyNtfy": "ntfy://host/topic",
    "NotifyOneSignal": "onesignal://app@key/player",
    "NotifyParsePlatform": "parsep://app:key@host",
    "NotifyProwl": f"prowl://{'a' * 40}",
    "NotifyPushMe": "pushme://abcdefghijkl",
    "NotifyPushy": "pushy://abcdefghijkl/device",
    "NotifyRSyslog": "rsyslog://host",
    "NotifySimplePush": "spush://abcdefgh",
    "NotifyTelegram": "tgram://123456789:abcdefg_hijklmnop-abcdefgh/12315544/",
    "NotifyThreema": "threema://*GATEWAY@abcdefghijklmnop/ABCDEFGH",
    "NotifyTwitter": "x://ckey/csecret/akey/asecret?mode=tweet",
    "NotifyViber": "viber://abcdefghijkl/user",
    "NotifyWeChat": "wechat://corpid:secret@1000001/user",
    "NotifyWeComBot": "wecombot://abc-def",
    "NotifyWebexTeams": f"webex://{'a' * 64}/room",
}


def campaign(name: str, drops: int = 12) -> EventText:
    return event_text(
        f"New drops on Twitch – {name}: {name}",
        name=name,
        game=name,
        organization=name,
        url="https://www.twitch.tv/drops/campaigns?dropID=a",
        end_at=NOON,
        drops=tuple(
            DropLine(name=f"{name} {number}", required_minutes=60, benefits=(BenefitLine(name=f"{name} · {name}"),))
            for number in range(drops)
        ),
    )


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_ntfy_shows_title_text_and_link_of_a_campaign_in_any_alphabet(world: Notifying, name: str) -> None:
    event = campaign(name)
    with ntfy_server() as ntfy:
        world.target("phone", ntfy.url)
        world.event(event.title, detail=event.detail)
        assert world.deliver().sent == 1
    (message,) = ntfy.messages
    assert message["title"] == event.title
    assert message["message"].splitlines()[-1] == f"Details: {event.detail.url}"
    assert f"- {name} 0 (60 min)" in message["message"]
    assert (ntfy.refusals, ntfy.files) == (0, [])


def test_a_server_that_takes_files_gets_a_message_and_no_file(world: Notifying) -> None:
    event = campaign(NAMES["cyrillic"])
    with ntfy_server(takes_files=True) as ntfy:
        world.target("phone", ntfy.url)
        world.event(event.title, detail=event.detail)
        assert world.deliver().sent == 1
    assert ([message["title"] for message in ntfy.messages], ntfy.files) == ([event.title], [])


@pytest.mark.parametrize("plugin", ["NotifyTwitter", "NotifyIRC", "NotifyWeComBot", "NotifyTelegram"])
def test_the_link_is_kept_where_lines_are_not(plugin: str) -> None:
    opened = open_url(ADDRESSES[plugin])
    event = campaign(NAMES["korean"] * 5, drops=40)
    assert str(event.detail.url) in render_message([event], opened.limits).body(opened.form)


def test_drops_that_have_no_room_in_ntfy_are_counted(world: Notifying) -> None:
    event = campaign(NAMES["korean"] * 2)
    with ntfy_server() as ntfy:
        world.target("phone", ntfy.url)
        world.event(event.title, detail=event.detail)
        world.deliver()
    lines = ntfy.messages[0]["message"].splitlines()
    shown = sum("(60 min)" in line for line in lines)
    assert 2 <= shown < 12
    assert f"- and {12 - shown} more" in lines


def test_a_burst_in_korean_is_one_message_of_ntfy(world: Notifying) -> None:
    with ntfy_server() as ntfy:
        world.target("phone", ntfy.url)
        for _ in range(20):
            world.event(campaign(NAMES["korean"] * 4).title)
        assert world.deliver().sent == 20
    assert "more" in ntfy.messages[0]["message"].splitlines()[-1]


def test_a_server_that_takes_less_than_its_service_gets_a_shorter_message(world: Notifying) -> None:
    event = campaign(NAMES["cyrillic"])
    with ntfy_server(message_limit=1100) as ntfy:
        world.target("phone", ntfy.url)
        world.event(event.title, detail=event.detail)
        assert world.deliver().sent == 1
    assert ntfy.refusals == 1
    assert ntfy.messages[0]["title"].startswith("New drops on Twitch – Золотой")


def test_what_is_too_long_even_so_is_dead_at_once_with_its_reason(world: Notifying) -> None:
    event = campaign(NAMES["cyrillic"])
    with ntfy_server(message_limit=20) as ntfy:
        world.target("phone", ntfy.url)
        world.event(event.title, detail=event.detail)
        assert world.deliver().dead == 1
    assert ntfy.refusals == 2
    (row,) = world.deliveries()
    assert row.last_error == "the service answered with HTTP 413: the message is too long for it"


def test_ntfys_own_code_for_a_message_that_became_a_file_says_what_is_wrong(world: Notifying) -> None:
    with ntfy_server(message_limit=90) as ntfy:
        world.target("phone", ntfy.url)
        world.event("Rust", detail=CampaignDetail(game="Rust is a game with quite a long name"))
        assert world.deliver().dead == 1
    assert ntfy.refusals == 1
    assert world.deliveries()[0].last_error == "the service answered with HTTP 400: the message is too long for it"


@pytest.mark.parametrize(("code", "state"), [(40301, "dead"), (42901, "pending"), (50701, "pending")])
def test_ntfys_codes_are_read_by_their_status(world: Notifying, code: int, state: str) -> None:
    with ntfy_server(refuses_with=code) as ntfy:
        world.target("phone", ntfy.url)
        world.event("Rust")
        world.deliver()
    (row,) = world.deliveries()
    assert (row.state, row.last_error.split(":")[0]) == (state, f"the service answered with HTTP {code // 100}")


def measured(message: Message, form: Format, ceiling: Ceiling) -> int:
    """The longest that a service can be sent of a message: its title above its body."""
    return {
        "all": size(message.body_with_title(form), ceiling.unit),
        "body": size(message.body(form), ceiling.unit),
        "title": size(message.title, ceiling.unit),
    }[ceiling.part]


@pytest.mark.parametrize("plugin", CEILINGS)
@pytest.mark.parametrize("alphabet", ["korean", "emoji", "quotes"])
def test_no_message_is_longer_than_its_service_takes(plugin: str, alphabet: str) -> None:
    name, opened = NAMES[alphabet], open_url(ADDRESSES[plugin])
    assert type(opened.service).__name__ == plugin
    assert opened.limits.ceilings
    for events in ([campaign(name * 3, drops=40)], [campaign(name)], [campaign(name * 9)] * 20):
        message = render_message(events, opened.limits)
        assert message.title
        assert message.body(opened.form)
        for ceiling in opened.limits.ceilings:
            assert ceiling.most
            assert measured(message, opened.form, ceiling) <= ceiling.most


@settings(max_examples=examples(60), deadline=None)
@given(
    text=st.text(max_size=300),
    count=st.integers(1, 3),
    unit=st.sampled_from(Unit),
    most=st.integers(300, 2000),
    part=st.sampled_from(["all", "body", "title"]),
)
@example(text="\U0010ffff*_[<&" * 60, count=2, unit=Unit.JSON, most=300, part="all")
def test_any_text_at_all_is_fitted_in_any_unit(text: str, count: int, unit: Unit, most: int, part: str) -> None:
    ceiling = Ceiling(unit=unit, most=most, part=part, source="")  # type: ignore[arg-type]
    message = render_message([campaign(text)] * count, Limits(ceilings=(ceiling,)))
    for form in Format:
        assert message.body(form)
        assert measured(message, form, ceiling) <= most


SIZES = {
    Unit.UTF8: (1, 2, 3, 4),
    Unit.UTF16: (1, 1, 1, 2),
    Unit.JSON: (1, 6, 6, 12),
    Unit.JSON_UTF8: (1, 2, 3, 4),
    Unit.QUERY: (1, 6, 9, 12),
    Unit.POST_ON_X: (1, 1, 2, 2),
    Unit.UTF8_LINE: (1, 2, 3, 4),
}


@pytest.mark.parametrize("unit", Unit)
def test_a_letter_has_the_size_that_its_service_gives_it(unit: Unit) -> None:
    assert tuple(size(letter, unit) for letter in ("a", "ж", "로", "🎁")) == SIZES[unit]


def test_sizes_are_those_of_what_is_sent() -> None:
    text = 'a "quoted" <line>\nand а второй\\ 🎁'
    assert size(text, Unit.JSON) == len(json.dumps({"m": text}).encode()) - len(json.dumps({"m": ""}))
    assert size(text, Unit.QUERY) == len(quote_plus(text))
    assert size(text, Unit.UTF8_LINE) == len("and а второй\\ 🎁".encode())


def test_every_ceiling_is_that_of_a_service_of_apprise_and_has_its_source() -> None:
    load()
    from apprise.manager_plugins import NotificationManager

    known = NotificationManager()  # type: ignore[no-untyped-call]
    plugins = {known[scheme].__name__ for scheme in ALLOWED_SCHEMES}
    assert plugins >= set(CEILINGS)
    assert set(ADDRESSES) == set(CEILINGS)
    assert all(ceiling.source for ceilings in CEILINGS.values() for ceiling in ceilings)
