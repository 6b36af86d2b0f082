"""What goes wrong with a sync: it changes nothing, says so in its own words, and is over once answers come again."""

from datetime import timedelta
from pathlib import Path

import pytest

from models import LibraryEntry, PlaySession, QuarantinedPayload
from models.vault import Vault
from tests.pipeline.library.sources.syncing import DAY, GLOWMOOR, HOUR, KETTLE, SPORES, STEAM_ID, Syncing
from tests.shops import SteamUser
from tests.shops.steam import KEY, REFUSED

OTHER_ID = "76561190000000002"
TABLES = (LibraryEntry, PlaySession)


@pytest.fixture
def owner(syncing: Syncing, user: SteamUser) -> SteamUser:
    """An account with two games, which was synced once."""
    user.own(GLOWMOOR, "Glowmoor", minutes=90)
    user.own(KETTLE, "Kettle Bots")
    syncing.round()
    return user


def test_a_private_profile_changes_nothing_says_so_and_is_over_when_it_is_public_again(
    syncing: Syncing, owner: SteamUser
) -> None:
    before = [syncing.rows(table) for table in TABLES]
    owner.is_private = True

    results = [syncing.round(DAY) for _ in range(4)]

    assert [fetched.outcome for fetched in results] == ["failed"] * 4
    assert [syncing.rows(table) for table in TABLES] == before
    assert "keeps its games private" in (results[0].error or "")
    account = syncing.account()
    assert (account["problem"], account["problem_since"]) == (results[0].error, syncing.now - 3 * DAY)
    assert (syncing.source()["last_error"], syncing.events()) == (results[0].error, ["source.failing"])

    owner.is_private = False
    owner.own(SPORES, "Sporeways")
    assert dict(syncing.round(DAY).events) == {"library.added": 1, "source.recovered": 1}
    assert (syncing.account()["problem"], syncing.account()["problem_since"]) == (None, None)
    assert syncing.source()["last_error"] is None


def test_a_private_answer_is_no_absence(syncing: Syncing, owner: SteamUser) -> None:
    owner.lose(KETTLE)
    syncing.round(DAY)
    syncing.round(DAY)
    owner.is_private = True
    for _ in range(3):
        syncing.round(DAY)
    assert syncing.games() == {"Glowmoor", "Kettle Bots"}
    owner.is_private = False
    syncing.round(DAY)
    assert syncing.games() == {"Glowmoor"}


def test_a_refused_key_is_a_persons_business_and_asked_for_hourly(syncing: Syncing, owner: SteamUser) -> None:
    syncing.shops.keys.clear()
    fetched = syncing.round(DAY)
    assert (fetched.outcome, "refuses the key (401)" in (fetched.error or "")) == ("failed", True)
    assert (dict(fetched.events), syncing.account()["next_due_at"]) == ({"source.failing": 1}, syncing.now + HOUR)

    asked = len(syncing.shops.requests)
    assert syncing.round(timedelta(minutes=10)).outcome == "failed"
    assert len(syncing.shops.requests) == asked
    syncing.shops.keys.add(KEY)
    assert dict(syncing.round(HOUR).events) == {"source.recovered": 1}


def test_a_shop_that_is_away_is_asked_again_as_soon_as_the_rails_say(syncing: Syncing, owner: SteamUser) -> None:
    syncing.wait(DAY)
    syncing.shops.fail(429, times=2, Retry_After="1800")
    first = syncing.round()
    assert (first.outcome, first.next_due_at, first.events) == ("failed", syncing.now + HOUR / 2, {})
    assert dict(syncing.round(HOUR).events) == {"source.failing": 1}
    assert dict(syncing.round(HOUR).events) == {"source.recovered": 1}
    assert syncing.account()["problem"] is None


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (500, "", "Steam is away (127.0.0.1 answered 500): nothing of the library was changed, and it is asked again"),
        (429, "", "Steam asks us to wait (429): nothing of the library was changed, and it is asked again by itself"),
        (200, "<html>", "nothing of the library was changed; if it stays so, look for a newer version"),
    ],
)
def test_each_trouble_names_the_shop_and_the_way_out(
    syncing: Syncing, owner: SteamUser, status: int, body: str, words: str
) -> None:
    # Not one alone: what may be over in a moment is asked again at once.
    syncing.shops.fail(status, body, times=9)
    assert words in (syncing.round(DAY).error or "")
    assert words in syncing.account()["problem"]


def test_an_answer_of_an_unknown_shape_is_set_aside_and_told_once(syncing: Syncing, owner: SteamUser) -> None:
    for _ in range(2):
        syncing.shops.fail(200, '{"response":{"game_count":2}}')
        assert syncing.round(DAY).outcome == "failed"
    assert syncing.games() == {"Glowmoor", "Kettle Bots"}
    assert [row["origin"] for row in syncing.rows(QuarantinedPayload)] == ["steam.library"]
    assert syncing.source()["changed_since"] is not None

    syncing.round(DAY)
    assert (syncing.events(), syncing.source()["changed_since"]) == (["source.changed", "source.recovered"], None)
    assert syncing.source()["last_error"] is None


def test_what_somebody_has_is_what_their_accounts_have_together(syncing: Syncing, owner: SteamUser) -> None:
    other = syncing.shops.add_user(OTHER_ID, "Second", "second")
    other.own(SPORES, "Sporeways")
    other.own(GLOWMOOR, "Glowmoor", minutes=10)
    syncing.sign_in(OTHER_ID)
    for _ in range(4):
        syncing.round(DAY)
    assert (syncing.games(), syncing.events()) == ({"Glowmoor", "Kettle Bots", "Sporeways"}, [])

    other.is_private = True
    owner.lose(KETTLE)
    owner.play(GLOWMOOR, syncing.now)
    for _ in range(4):
        assert syncing.round(DAY).outcome == "failed"
    # The one that cannot be read may have it.
    assert syncing.games() == {"Glowmoor", "Kettle Bots", "Sporeways"}
    assert [row["seconds"] for row in syncing.rows(PlaySession)] == [3600]
    assert (syncing.account()["problem"], syncing.account(OTHER_ID)["problem"] is None) == (None, False)

    other.is_private = False
    for _ in range(3):
        syncing.round(DAY)
    assert syncing.games() == {"Glowmoor", "Sporeways"}


def test_the_trouble_of_one_account_lasts_while_another_is_well(syncing: Syncing, owner: SteamUser) -> None:
    syncing.sign_in("76561190000000009")
    owner.play(GLOWMOOR, syncing.now)
    assert [syncing.round(HOUR).outcome for _ in range(5)] == ["failed"] * 5
    assert syncing.events() == ["source.failing"]


def test_a_key_file_that_opens_nothing_is_said_with_the_way_out(
    syncing: Syncing, owner: SteamUser, tmp_path: Path
) -> None:
    syncing.vault = Vault.open(tmp_path / "another.key")
    fetched = syncing.round(DAY)
    assert "the key file does not open the stored key of Steam" in (fetched.error or "")
    assert "sources login steam" in (fetched.error or "")


def test_no_row_and_no_error_shows_the_key(syncing: Syncing, owner: SteamUser) -> None:
    syncing.shops.fail(401, REFUSED.replace("key=", f"key={KEY}"))
    fetched = syncing.round(DAY)
    assert KEY not in f"{fetched} {syncing.account()} {syncing.source()}"
    assert syncing.account(STEAM_ID)["key_encrypted"] != KEY.encode()
