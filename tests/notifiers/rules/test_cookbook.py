"""Every recipe of docs/rules.md says what its title promises, and is applied as it stands."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert

from models import Source
from models.vault import Vault
from notifiers.apprise_urls import check_url, is_private, open_url
from notifiers.rules.applying import apply, check_wanted, load_present
from notifiers.rules.difference import Wanted, compare
from pipeline.rules.files import read_rules_file
from tests.paths import CHECKOUT

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOOK = (CHECKOUT / "docs" / "rules.md").read_text()
RECIPES = re.findall(r"^### (.+?)\n\n```toml\n(.+?)```", BOOK, re.DOTALL | re.MULTILINE)
VARIABLES = dict.fromkeys(re.findall(r"env:(\w+)", str(RECIPES)), "json://127.0.0.1:9/x")


def test_there_are_twenty_recipes() -> None:
    assert len(RECIPES) >= 20


@pytest.mark.parametrize("recipe", [pytest.param(text, id=title) for title, text in RECIPES])
def test_a_recipe_is_applied_as_it_stands(engine: Engine, vault: Vault, tmp_path: Path, recipe: str) -> None:
    (tmp_path / "mail-address").write_text("json://127.0.0.1:9/x\n")
    (tmp_path / "recipe.toml").write_text(recipe)
    file = read_rules_file(tmp_path / "recipe.toml", VARIABLES)
    with engine.begin() as connection:
        for service in ("twitch", "kick"):
            connection.execute(insert(Source).values(name=service, service=service, next_due_at=NOW))
        subscriptions = check_wanted(connection, file.wanted.subscriptions)
        wanted = Wanted(targets=file.wanted.targets, subscriptions=subscriptions)
        changes = compare(wanted, load_present(connection, vault), file.origin)
        apply(connection, vault, changes, wanted, file.origin, NOW)
        assert {change.action for change in changes} == {"add"}
        assert compare(wanted, load_present(connection, vault), file.origin) == []


MAILS = re.findall(r"`(mailtos?://[^`]+)`", BOOK)


def test_the_addresses_of_mails_are_taken_as_they_stand() -> None:
    assert [check_url(address) for address in MAILS] == [
        "Email (smtp.gmail.com)",
        "Email (smtp.example.org)",
        "Email (smtp.example.org)",
        "Email (192.168.1.5)",
    ]
    opened = [open_url(address).service for address in MAILS]
    assert [(mail.port, mail.secure_mode) for mail in opened] == [
        (587, "starttls"),
        (587, "starttls"),
        (465, "ssl"),
        (25, "insecure"),
    ]
    assert [is_private(address) for address in MAILS] == [False, False, False, True]
