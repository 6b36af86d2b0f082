"""What a file of rules asks to be done, compared with what there is."""

from typing import Any

from notifiers.conditions.conditions import Conditions
from notifiers.rules.difference import (
    Change,
    Wanted,
    WantedFollow,
    WantedSubscription,
    WantedTarget,
    compare,
    in_words,
)
from notifiers.timing.settings import Digest, TargetSettings, Window

FILE = "lootwire.toml"


def target(name: str = "phone", **values: Any) -> WantedTarget:
    usual: dict[str, Any] = {"url": "json://here", "timezone": "UTC", "settings": TargetSettings()}
    return WantedTarget(name=name, **usual | values)


def subscription(name: str = "loot", **values: Any) -> WantedSubscription:
    return WantedSubscription(name=name, target="phone", conditions=Conditions(games=("Rust",)), **values)


def everything(*things: WantedTarget | WantedSubscription | WantedFollow) -> Wanted:
    return Wanted(
        targets=tuple(each for each in things if isinstance(each, WantedTarget)),
        subscriptions=tuple(each for each in things if isinstance(each, WantedSubscription)),
        follows=tuple(each for each in things if isinstance(each, WantedFollow)),
    )


def actions(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [(change.action, change.what, change.name) for change in changes]


def test_what_is_new_is_added_targets_before_their_subscriptions() -> None:
    wanted = everything(subscription(), target(), WantedFollow(kind="channel", name="shroud"))
    assert actions(compare(wanted, everything(), FILE)) == [
        ("add", "target", "phone"),
        ("add", "subscription", "loot"),
        ("add", "follow", "channel shroud"),
    ]


def test_what_is_as_it_is_wanted_asks_for_nothing() -> None:
    things = (target(), subscription(), WantedFollow(kind="drops", name=""))
    present = (target(origin=FILE), subscription(origin=FILE), WantedFollow(kind="drops", name="", origin=FILE))
    assert compare(everything(*things), everything(*present), FILE) == []


def test_a_change_says_what_was_and_what_will_be_and_shows_no_address() -> None:
    quiet = TargetSettings(quiet=(Window(begins="22:00", ends="07:00"),), digest=Digest(every="day", at="08:00"))
    wanted = target(url="json://secret", timezone="Europe/Berlin", settings=quiet, is_paused=True)
    [change] = compare(everything(wanted), everything(target(origin=FILE)), FILE)
    assert change.action == "change"
    assert change.details == (
        "another address",
        "timezone: UTC → Europe/Berlin",
        "paused: no → yes",
        "quiet: none → 22:00-07:00",
        "digest: none → daily at 08:00",
    )


def test_what_somebody_made_by_hand_is_taken_over_and_what_another_file_made_says_so() -> None:
    [by_hand] = compare(everything(target()), everything(target()), FILE)
    [of_another] = compare(everything(target()), everything(target(origin="other.toml")), FILE)
    assert (by_hand.action, by_hand.came_from) == ("take over", None)
    assert (of_another.action, of_another.came_from) == ("take over", "other.toml")


def test_what_is_gone_from_its_file_is_removed_subscriptions_before_their_targets() -> None:
    present = everything(
        target(origin=FILE), subscription(origin=FILE), WantedFollow(kind="channel", name="shroud", origin=FILE)
    )
    assert actions(compare(everything(), present, FILE)) == [
        ("remove", "follow", "channel shroud"),
        ("remove", "subscription", "loot"),
        ("remove", "target", "phone"),
    ]


def test_what_came_from_elsewhere_or_has_moved_there_is_not_removed() -> None:
    assert compare(everything(), everything(target(), subscription(origin="other.toml")), FILE) == []
    things = (target(), subscription(), WantedFollow(kind="channel", name="shroud"))
    present = (
        target(origin=FILE),
        subscription(origin=FILE),
        WantedFollow(kind="channel", name="shroud", origin=FILE),
    )
    assert compare(everything(), everything(*present), FILE, elsewhere=[everything(*things)]) == []


def test_a_follow_is_known_by_any_of_its_names() -> None:
    present = WantedFollow(kind="channel", name="shroud_now", written="Shroud", origin=FILE)
    assert compare(everything(WantedFollow(kind="channel", name="shroud")), everything(present), FILE) == []


def test_a_list_is_read_again_where_its_file_says_something_else() -> None:
    def read(digest: str | None, **values: Any) -> WantedFollow:
        return WantedFollow(kind="list", name="mine", digest=digest, **values)

    present = everything(read("a", origin=FILE))
    [other] = compare(everything(read("b")), present, FILE)
    [unreadable] = compare(everything(read(None)), present, FILE)
    assert other.details == ("its file says something else",)
    assert unreadable.details == ("its file cannot be read",)


def test_how_many_of_a_category_are_followed_is_changed() -> None:
    present = everything(WantedFollow(kind="category", name="Chess", top=5, origin=FILE))
    [change] = compare(everything(WantedFollow(kind="category", name="Chess", top=9)), present, FILE)
    assert (change.action, change.details) == ("change", ("top: 5 → 9",))


def test_whether_a_target_may_be_private_goes_on_where_nothing_is_said_of_it() -> None:
    present = everything(target(origin=FILE, settings=TargetSettings(private=True)))
    assert compare(everything(target(keeps_private=True)), present, FILE) == []
    [change] = compare(everything(target()), present, FILE)
    assert change.details == ("private: yes → no",)


def test_values_are_said_as_a_person_reads_them() -> None:
    assert in_words({"games": ["Rust", "Gloomtide"], "strict": True}) == "games Rust, Gloomtide strict yes"
    assert (in_words(None), in_words([]), in_words(3)) == ("none", "none", "3")
