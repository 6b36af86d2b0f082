"""The ways in which people write an account and a key of Steam's."""

import pytest

from models.errors import UsageError
from pipeline.services.steam.accounts import SteamAccount, read_account, read_key

NUMBER = "76561190000000001"


@pytest.mark.parametrize(
    ("written", "account"),
    [
        (NUMBER, SteamAccount(NUMBER, None)),
        (f" https://steamcommunity.com/profiles/{NUMBER}/\n", SteamAccount(NUMBER, None)),
        (f"steamcommunity.com/profiles/{NUMBER}/games/?tab=all", SteamAccount(NUMBER, None)),
        ("https://steamcommunity.com/id/lamp_lighter", SteamAccount(None, "lamp_lighter")),
        ("http://www.steamcommunity.com/ID/lamp-lighter/games", SteamAccount(None, "lamp-lighter")),
        ("lamplighter", SteamAccount(None, "lamplighter")),
        # Digits that are no number of an account may be a name.
        ("1234", SteamAccount(None, "1234")),
    ],
)
def test_an_account_is_read_in_each_way_that_people_write_it(written: str, account: SteamAccount) -> None:
    assert read_account(written) == account


@pytest.mark.parametrize(
    "written",
    [
        "",
        "a",
        "two words",
        "https://steamcommunity.com/profiles/lamplighter",
        "https://steamcommunity.com/groups/lamps",
        "https://steamcommunity.com/id/" + "x" * 40,
        "https://store.steampowered.com/app/400",
        "lamp/../../../x",
    ],
)
def test_what_can_be_no_account_is_refused_with_how_one_is_written(written: str) -> None:
    with pytest.raises(UsageError, match="is no Steam account: give the address of the profile"):
        read_account(written)


def test_a_key_is_read_without_the_space_around_it() -> None:
    assert read_key("  " + "0aF1" * 8 + "\n") == "0aF1" * 8


@pytest.mark.parametrize("written", ["", "0aF1" * 7, "0aF1" * 8 + "0", "0aG1" * 8, "0aF1" * 4 + "\n" + "0aF1" * 4])
def test_what_can_be_no_key_is_refused_and_not_repeated(written: str) -> None:
    with pytest.raises(UsageError, match="dev/apikey shows yours") as caught:
        read_key(written)
    assert not written.strip() or written.strip() not in str(caught.value)
