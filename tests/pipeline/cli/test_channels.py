"""Following channels from the command line, at a local Twitch."""

import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from models import Channel, Person, Source, Video
from pipeline.channels.following.watched import followed_categories
from pipeline.runtime.runtime import open_runtime, utc_now
from pipeline.services.twitch.account import sign_in
from pipeline.services.twitch.sign_in import Tokens, Viewer
from tests.channels import Channels
from tests.pipeline.cli.operator import Operator, Result
from tests.twitch import LocalTwitch

NOBODY = "this_is_nobody"


@pytest.fixture(scope="module")
def running_twitch() -> Iterator[LocalTwitch]:
    with LocalTwitch() as twitch:
        for login, user_id in (("ada_", "11"), ("grace", "12"), ("margaret", "13"), ("777", "14"), ("late", "777")):
            twitch.add_user(login, id=user_id, display_name=login.title())
        twitch.add_user("12", id="15")
        for category_id, name in (("1", "Gloomtide"), ("2", "Moss Runner"), ("3", "Moss Runner II")):
            twitch.add_category(category_id, name)
        yield twitch


@pytest.fixture
def twitch(running_twitch: LocalTwitch) -> LocalTwitch:
    running_twitch.heal()
    running_twitch.forget_requests()
    return running_twitch


@pytest.fixture
def follower(operator: Operator, twitch: LocalTwitch, monkeypatch: pytest.MonkeyPatch) -> Operator:
    """An operator with an application at Twitch."""
    monkeypatch.setenv("TWITCH_CLIENT_ID", twitch.client_id)
    monkeypatch.setenv("TWITCH_CLIENT_SECRET", twitch.client_secret)
    monkeypatch.setenv("LOOTWIRE_TWITCH_AUTH_URL", twitch.auth_url)
    monkeypatch.setenv("LOOTWIRE_HELIX_URL", twitch.helix_url)
    return operator


def followed(operator: Operator) -> list[str]:
    return [line["login"] for line in operator.run("channels", "list", "--json").lines]


def count_requests(twitch: LocalTwitch, path: str) -> int:
    return sum(request.path == f"/helix/{path}" for request in twitch.requests)


def test_channels_are_followed_by_login_id_and_address_in_one_request(follower: Operator, twitch: LocalTwitch) -> None:
    result = follower.run("channels", "add", "Ada_", "12", "https://www.twitch.tv/margaret/videos", "--json")
    assert result.code == 0
    assert [(line["name"], line["result"], line["login"], line["taken_as"]) for line in result.lines] == [
        ("Ada_", "followed", "ada_", "login"),
        ("12", "followed", "grace", "id"),
        ("https://www.twitch.tv/margaret/videos", "followed", "margaret", "login"),
    ]
    assert followed(follower) == ["ada_", "grace", "margaret"]
    assert count_requests(twitch, "users") == 1


def test_who_is_followed_has_a_page_from_the_next_publishing_on(follower: Operator) -> None:
    follower.run("channels", "add", "Grace")
    assert follower.run("publish").code == 0
    (page,) = (follower.folder / "data" / "public" / "channels").glob("grace-*.html")
    assert "No stream has been seen yet" in page.read_text()


def test_digits_say_what_they_were_taken_for(follower: Operator) -> None:
    assert "for the login 12 write twitch.tv/12" in follower.run("channels", "add", "12").out
    assert "there is no such id" not in follower.run("channels", "add", "777").out
    line = follower.run("channels", "add", "twitch.tv/777", "--json").lines[0]
    assert (line["external_id"], line["taken_as"]) == ("14", "login")


def test_what_is_unknown_is_told_and_the_rest_is_followed(follower: Operator) -> None:
    result = follower.run("channels", "add", "grace", NOBODY, "kick.com/x", "grace")
    assert result.code == 3
    assert result.out.splitlines() == ["grace: followed", "grace: already followed"]
    assert f"{NOBODY}: Twitch knows no such channel" in result.errors
    assert "kick.com/x: is no address of a channel" in result.errors
    assert follower.run("channels", "add", NOBODY).code == 2


def test_nothing_to_add_or_to_remove_is_wrong_usage(follower: Operator) -> None:
    for command in ("add", "remove", "import"):
        assert follower.run("channels", command).code == 2


def test_without_an_application_it_says_how_to_get_one(operator: Operator) -> None:
    result = operator.run("channels", "add", "grace")
    assert result.code == 1
    assert "TWITCH_CLIENT_ID" in result.errors
    assert "dev.twitch.tv" in result.errors


def test_when_twitch_is_away_nobody_is_followed(follower: Operator, twitch: LocalTwitch) -> None:
    twitch.fail("/helix/users", 500, times=9)
    result = follower.run("channels", "add", "grace", "--drops")
    assert result.code == 1
    twitch.heal()
    assert "No channel is followed yet" in follower.run("channels").out


def test_a_renamed_channel_is_found_by_the_login_that_it_had(follower: Operator, twitch: LocalTwitch) -> None:
    twitch.add_user("firstname", id="40")
    follower.run("channels", "add", "firstname")
    twitch.rename("firstname", "secondname")
    line = follower.run("channels", "add", "firstname", "--json").lines[0]
    assert (line["login"], line["result"]) == ("secondname", "already followed")
    assert (line["taken_as"], line["note"]) == ("former login", "is now secondname")
    assert follower.run("channels", "list", "--json").lines[0]["former_logins"] == ["firstname"]
    assert "was first" in follower.run("channels", "list").out
    assert follower.run("channels", "stats", "firstname", "--json").lines[0]["login"] == "secondname"
    assert (
        "secondname: followed no longer (asked for as firstname)" in follower.run("channels", "remove", "firstname").out
    )
    assert followed(follower) == []


def test_removed_channels_are_no_longer_followed_and_their_history_stays(follower: Operator) -> None:
    follower.run("channels", "add", "ada_", "grace", "12")
    result = follower.run("channels", "remove", "12", "https://twitch.tv/ada_", NOBODY)
    assert (result.code, f"{NOBODY}: is not followed" in result.errors) == (3, True)
    assert followed(follower) == []
    assert follower.run("channels", "remove", "grace").code == 2
    with follower.engine.connect() as connection:
        assert set(connection.scalars(select(Channel.login))) == {"ada_", "grace"}


def test_digits_remove_what_is_followed_be_they_its_id_or_its_login(follower: Operator) -> None:
    follower.run("channels", "add", "grace", "twitch.tv/12")
    follower.run("channels", "remove", "grace")
    assert "12: followed no longer" in follower.run("channels", "remove", "12").out


def test_what_is_added_is_polled_at_once(follower: Operator) -> None:
    follower.run("sources")
    later = utc_now() + timedelta(hours=1)
    polled = {"name": "twitch.streams", "service": "twitch", "next_due_at": later}
    with follower.engine.begin() as connection:
        connection.execute(insert(Source).values(polled).on_conflict_do_nothing())
        connection.execute(update(Source).values(next_due_at=later))
    follower.run("channels", "add", "grace")
    with follower.engine.connect() as connection:
        due = set(connection.scalars(select(Source.name).where(Source.next_due_at <= utc_now())))
    assert due
    assert all(name.startswith("twitch.streams") for name in due)


def test_channels_of_campaigns_are_watched_as_a_group(follower: Operator) -> None:
    now = datetime.now(UTC)
    rows = Channels(follower.engine, now)
    rows.campaign([rows.channel("named", follow=False), rows.channel("other", follow=False)])
    assert "from now on" in follower.run("channels", "add", "--drops").out
    assert "already" in follower.run("channels", "add", "--drops").out
    lines = follower.run("channels", "list", "--json").lines
    assert [(line["login"], line["why"]) for line in lines] == [("named", ["drops"]), ("other", ["drops"])]
    assert "Drops: 2 channels" in follower.run("channels").out
    assert "named" not in follower.run("channels").out.split("Drops:")[0]
    assert "Named" in follower.run("channels", "list", "--all").out
    assert follower.run("channels", "remove", "--drops").code == 0
    assert followed(follower) == []
    assert follower.run("channels", "remove", "--drops").code == 2


def test_a_category_is_followed_by_its_name_as_people_write_it(follower: Operator) -> None:
    assert "Moss Runner: its 5 most" in follower.run("channels", "add", "--game", "moss runner", "--top", "5").out
    follower.run("channels", "add", "--game", "Gloomtide")
    follower.run("channels", "add", "--game", "Moss Runner", "--top", "50")
    with follower.engine.connect() as connection:
        categories = [
            (category.external_id, category.name, category.top) for category in followed_categories(connection)
        ]
    assert categories == [("2", "Moss Runner", 50), ("1", "Gloomtide", 20)]
    assert "50 most watched streams of Moss Runner" in follower.run("channels").out
    assert follower.run("channels", "remove", "--game", "gloomtide").code == 0
    with follower.engine.connect() as connection:
        assert [category.name for category in followed_categories(connection)] == ["Moss Runner"]


def test_a_category_that_is_not_plain_lists_what_there_is(follower: Operator) -> None:
    result = follower.run("channels", "add", "--game", "moss")
    assert result.code == 2
    assert "'Moss Runner', 'Moss Runner II'" in result.errors
    assert "finds no category 'Xyzzy'" in follower.run("channels", "add", "--game", "Xyzzy").errors


def test_each_wish_has_its_own_result(follower: Operator) -> None:
    result = follower.run("channels", "add", "grace", "--game", "moss", "--game", "Gloomtide", "--drops", "--json")
    assert result.code == 3
    assert [(line.get("name") or line.get("group"), line["result"]) for line in result.lines] == [
        ("grace", "followed"),
        ("moss", "unknown"),
        ("Gloomtide", "followed"),
        ("drops", "followed"),
    ]


def test_a_list_tells_what_is_on_and_what_was_on_last(follower: Operator) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    rows = Channels(follower.engine, now)
    gloom = rows.game("Gloomtide")
    live = rows.channel("lanternwake")
    rows.stream(live, now - timedelta(hours=3), 60)
    rows.stream(live, now - timedelta(hours=1), None, games=[(0, gloom)], viewers=[(0, 5), (55, 1234), (56, None)])
    rows.stream(rows.channel("quiet"), now - timedelta(days=2), 60)
    rows.channel("never")
    lines = {line["login"]: line for line in follower.run("channels", "--json").lines}
    on_now = lines["lanternwake"]["live"]
    assert (on_now["title"], on_now["category"], on_now["viewers"]) == ("A quiet evening", "Gloomtide", 1234)
    assert lines["quiet"]["live"] is None
    assert lines["quiet"]["last_stream_at"] == (now - timedelta(days=2)).isoformat().replace("+00:00", "Z")
    assert lines["never"]["last_stream_at"] is None
    shown = follower.run("channels", "list").out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "1,234" in shown


def test_what_eventsub_tells_is_covered_in_real_time_and_all_else_by_polling(follower: Operator) -> None:
    now = datetime.now(UTC)
    rows = Channels(follower.engine, now)
    for login in ("told", "left_out"):
        rows.channel(login)
    rows.channel("new", since=now)
    with follower.engine.connect() as connection:
        ids = dict(connection.execute(select(Channel.login, Channel.external_id)).all())
    cursor = {"reconciled_at": (now - timedelta(minutes=5)).isoformat(), "left_out": [ids["left_out"]]}
    source = {"name": "twitch.eventsub", "service": "twitch", "next_due_at": now}
    rows.add(Source, **source, cursor=cursor, last_success_at=now)

    def covered() -> dict[str, str]:
        return {line["login"]: line["covered"] for line in follower.run("channels", "--json").lines}

    assert covered() == {"told": "real time", "left_out": "polling", "new": "polling"}
    with follower.engine.begin() as connection:
        connection.execute(update(Source).values(failing_since=now))
    assert set(covered().values()) == {"polling"}
    with follower.engine.begin() as connection:
        connection.execute(update(Source).values(failing_since=None, last_success_at=now - timedelta(hours=1)))
    assert set(covered().values()) == {"polling"}


def test_a_file_is_imported_with_a_report(follower: Operator) -> None:
    follower.run("channels", "add", "ada_")
    path = follower.folder / "mine.txt"
    path.write_text("# mine\nada_\ntwitch.tv/grace\n12\nthis is none\nnobody_here\n")
    result = follower.run("channels", "import", str(path))
    assert result.code == 3
    assert "5 channels, read as text" in result.out
    assert " ".join(result.out.split()).startswith("5 channels, read as text 2 already followed 1 followed")
    assert "nobody_here: Twitch knows no such channel" in result.errors
    assert followed(follower) == ["ada_", "grace"]


def test_a_list_may_come_on_standard_input(follower: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = io.BytesIO(json.dumps({"data": [{"broadcaster_id": "13", "broadcaster_login": "was"}]}).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(listed))
    result = follower.run("channels", "import", "-", "--json")
    assert result.code == 0
    assert [(line["login"], line["result"]) for line in result.lines] == [("margaret", "followed")]


def test_a_file_that_is_not_there_is_told_in_a_line(follower: Operator) -> None:
    result = follower.run("channels", "import", "missing.txt")
    assert (result.code, len(result.errors.splitlines())) == (2, 1)


def import_follows(follower: Operator, twitch: LocalTwitch, *scopes: str) -> Result:
    """Import the follows of an account whose sign-in has these scopes."""
    runtime = open_runtime()
    token = twitch.user_token("11", client_id="kd1unb4b3q4t58fwlpcbzcbnm76a8fp", scopes=scopes)
    viewer = Viewer(client_id="kd1unb4b3q4t58fwlpcbzcbnm76a8fp", login="ada_", user_id="11")
    sign_in(runtime.engine, runtime.vault, Tokens(token), viewer, utc_now())
    runtime.engine.dispose()
    return follower.run("channels", "import", "--from-twitch")


def test_the_follows_of_an_account_are_imported(follower: Operator, twitch: LocalTwitch) -> None:
    twitch.set_follows("11", ["grace", "margaret", "12"])
    result = import_follows(follower, twitch, "user:read:follows")
    assert result.code == 0
    assert "3 channels, read as the follows of ada_" in result.out
    assert followed(follower) == ["12", "grace", "margaret"]


def test_a_sign_in_without_the_permission_says_how_to_get_it(follower: Operator, twitch: LocalTwitch) -> None:
    nobody = follower.run("channels", "import", "--from-twitch")
    assert (nobody.code, "nobody is signed in" in nobody.errors) == (1, True)
    result = import_follows(follower, twitch)
    assert result.code == 1
    assert "sources login twitch --follows" in result.errors
    assert "sources login twitch --follows" in nobody.errors


def test_statistics_of_a_channel_that_nobody_knows_say_so(follower: Operator) -> None:
    result = follower.run("channels", "stats", NOBODY)
    assert (result.code, "is known" in result.errors) == (2, True)
    assert follower.run("channels", "top").out == "No followed channel was on air in that time.\n"


@pytest.fixture
def history(follower: Operator) -> Operator:
    """Two channels that were on air in the last days."""
    now = datetime.now(UTC).replace(microsecond=0)
    rows = Channels(follower.engine, now)
    gloom, moss = rows.game("Gloomtide"), rows.game("Moss Runner")
    for days in range(1, 9):
        start = now - timedelta(days=days)
        viewers = [(minute, 1000 + minute) for minute in range(0, 120, 5)]
        rows.stream(rows.channel() if days == 1 else 1, start, 120, games=[(0, gloom), (90, moss)], viewers=viewers)
    rows.stream(rows.channel("short"), now - timedelta(hours=5), 30, viewers=[(0, 90_000)])
    return follower


def test_statistics_sum_up_what_a_channel_streamed(history: Operator) -> None:
    (stats,) = history.run("channels", "stats", "lanternwake", "--since", "180h", "--json").lines
    assert (stats["streams"], stats["seconds"], stats["peak_viewers"]) == (7, 7 * 7200, 1115)
    assert [(category["name"], category["seconds"]) for category in stats["categories"]] == [
        ("Gloomtide", 7 * 5400),
        ("Moss Runner", 7 * 1800),
    ]
    assert sum(stats["weekdays"]) == sum(stats["hours"]) == sum(cell["seconds"] for cell in stats["week"]) == 7 * 7200
    assert len(stats["last_streams"]) == 5
    assert stats["last_streams"][0]["recap"]["average_viewers"] == pytest.approx(1057, abs=5)
    assert stats["followed"] is True


def test_statistics_fit_a_screen_of_eighty_columns(history: Operator) -> None:
    shown = history.run("channels", "stats", "LANTERNWAKE", "--zone", "Europe/Berlin").out
    assert max(len(line) for line in shown.splitlines()) <= 80
    for part in ("Lanternwake", "8 ", "16 h 00 m", "Gloomtide", "Moss Runner", "Mon", "Sun", "Europe/Berlin", "█"):
        assert part in shown


def test_a_time_zone_that_there_is_not_is_wrong_usage(history: Operator) -> None:
    for zone in ("Atlantis", "", "../etc/passwd", "Europe"):
        assert history.run("channels", "stats", "lanternwake", "--zone", zone).code == 2


def test_the_top_is_by_hours_unless_asked_otherwise(history: Operator) -> None:
    assert [line["login"] for line in history.run("channels", "top", "--json").lines] == ["lanternwake", "short"]
    by_peak = history.run("channels", "top", "--by", "peak", "--json").lines
    assert [(line["place"], line["login"], line["peak_viewers"]) for line in by_peak] == [
        (1, "short", 90_000),
        (2, "lanternwake", 1115),
    ]
    shown = history.run("channels", "top", "--by", "average").out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert history.run("channels", "top", "--by", "loudness").code == 2


def test_streams_and_polls_of_a_channel_are_shown_one_by_one(history: Operator) -> None:
    sessions = history.run("channels", "sessions", "lanternwake", "--limit", "3", "--json").lines
    assert [(line["seconds"], line["peak_viewers"]) for line in sessions] == [(7200, 1115)] * 3
    assert len(history.run("channels", "sessions", "lanternwake", "--since", "80h", "--json").lines) == 3
    polls = history.run("channels", "snapshots", "lanternwake", "--limit", "24", "--json").lines
    assert [line["viewers"] for line in polls] == [1000 + minute for minute in range(115, -5, -5)]
    assert "Gloomtide" in history.run("channels", "snapshots", "lanternwake").out
    assert history.run("channels", "sessions", "lanternwak").code == 2


def test_all_channels_are_summed_up(history: Operator) -> None:
    (figures,) = history.run("channels", "summary", "--json").lines
    assert (figures["channels_followed"], figures["streams_over"], figures["hours"]) == (2, 9, 16.5)
    assert (figures["hours_per_channel"], figures["snapshots"]) == (8.25, 8 * 24 + 1)
    assert "8.25" in history.run("channels", "summary", "--until", "1h").out


def test_statistics_tell_the_average_length_and_the_first_and_last_stream(history: Operator) -> None:
    (stats,) = history.run("channels", "stats", "lanternwake", "--since", "60h", "--json").lines
    assert (stats["streams"], stats["average_seconds"]) == (2, 7200)
    assert stats["first_stream_at"] < stats["last_stream_at"]
    assert history.run("channels", "stats", "lanternwake", "--until", "60h", "--json").lines[0]["streams"] == 6


def test_what_is_live_and_how_it_is_watched_is_shown(follower: Operator) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    rows = Channels(follower.engine, now)
    rows.stream(rows.channel(), now - timedelta(hours=2), None, last_seen_at=now - timedelta(hours=1))
    (live,) = follower.run("channels", "live", "--followed", "--json").lines
    assert (live["login"], live["title"]) == ("lanternwake", "A quiet evening")
    assert "lanternwake" in follower.run("channels", "coverage", "--gaps", "--open").out
    (line,) = follower.run("channels", "coverage", "--json").lines
    assert (line["watched_by"], line["reason"], line["is_gap"]) == ("poll", "off", True)


def test_videos_are_listed(follower: Operator) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    rows = Channels(follower.engine, now)
    video = {"type": "archive", "title": "Evening", "url": "https://v.example", "seconds": 60, "first_seen_at": now}
    rows.add(Video, channel_id=rows.channel(), external_id="v1", published_at=now - timedelta(days=1), **video)
    assert "Evening" in follower.run("channels", "videos").out
    assert follower.run("channels", "videos", "lanternwake", "--kind", "upload", "--json").lines == []
    assert follower.run("channels", "videos", "--json").lines[0]["muted"] is None


def test_what_is_on_at_a_channel_that_nobody_follows_is_asked_of_twitch(
    follower: Operator, twitch: LocalTwitch
) -> None:
    twitch.go_live("grace", title="Compilers", announce=False)
    (status,) = follower.run("channels", "status", "grace", "--json").lines
    assert (status["known_by"], status["live"]["title"]) == ("twitch", "Compilers")
    assert "Compilers" in follower.run("channels", "status", "twitch.tv/grace").out
    twitch.go_offline("grace", announce=False)
    assert "not live" in follower.run("channels", "status", "grace").out
    assert follower.run("channels", "status", NOBODY).code == 2


def test_each_person_follows_channels_of_their_own(follower: Operator) -> None:
    now = datetime.now(UTC)
    Channels(follower.engine, now).add(Person, name="ada", role="member", created_at=now)
    follower.run("channels", "add", "grace")
    assert follower.run("channels", "add", "margaret", "grace", "--drops", "--person", "ada").code == 0
    assert followed(follower) == ["grace"]
    hers = follower.run("channels", "list", "--person", "ada", "--json").lines
    assert [line["login"] for line in hers] == ["grace", "margaret"]
    assert follower.run("channels", "remove", "margaret").code == 2
    assert follower.run("channels", "remove", "margaret", "--drops", "--person", "ada").code == 0
    assert follower.run("channels", "list", "--person", "nobody").code == 2
