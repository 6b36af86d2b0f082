"""Rules in the usual files are applied where that is wanted, and again when they change."""

import logging
import os
from pathlib import Path

import pytest

from models import Subscription, Target
from pipeline.programs.rules import RulesFiles
from pipeline.runtime.runtime import utc_now
from tasks import rules
from tests.tasks.installation import AtWork

PHONE = '[[target]]\nname = "phone"\nurl = "json://127.0.0.1:9/x"\nprivate = true\n'
LOOT = '[[subscription]]\nname = "loot"\nto = "phone"\nkinds = "campaign.*"\n'


@pytest.fixture
def file(installation: AtWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOOTWIRE_APPLY_RULES", "true")
    monkeypatch.setattr(rules, "FILES", RulesFiles())
    installation.reopen()
    return tmp_path / "rules" / "mine.toml"


def test_rules_are_applied_and_again_when_they_change(installation: AtWork, file: Path) -> None:
    rules.rules()
    assert installation.count(Target) == 0
    file.write_text(PHONE)
    rules.rules()
    assert installation.count(Target) == 1
    file.write_text(PHONE + LOOT)
    rules.rules()
    rules.rules()
    assert installation.count(Subscription) == 1
    file.write_text(PHONE)
    rules.rules()
    assert installation.count(Subscription) == 0


def test_a_mistake_is_told_once_and_the_rules_of_before_stay(
    installation: AtWork, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(PHONE + LOOT)
    rules.rules()
    file.write_text(PHONE + LOOT.replace("kinds", "kind"))
    for _ in range(2):
        rules.rules()
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.getMessage().endswith("mine.toml:8: there is no `kind`; did you mean `kinds`?")
    assert installation.count(Subscription) == 1


def test_a_name_that_nothing_has_is_told_once_and_the_rules_are_applied(
    installation: AtWork, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_text(PHONE + LOOT + 'games = "Nothing like it"\n')
    for _ in range(2):
        rules.rules()
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "mine.toml:9: no game named 'Nothing like it' is known yet" in warning.getMessage()
    assert installation.count(Subscription) == 1


def test_rules_are_left_alone_where_nobody_wants_them_applied(
    installation: AtWork, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_APPLY_RULES", "false")
    installation.reopen()
    file.write_text(PHONE)
    rules.rules()
    assert installation.count(Target) == 0


def test_a_secret_beside_the_rules_is_read_again_when_it_changes(installation: AtWork, file: Path) -> None:
    (file.parent / "address").write_text("json://127.0.0.1:9/x\n")
    file.write_text(PHONE.replace("json://127.0.0.1:9/x", "file:address"))
    files = RulesFiles()
    first = files.apply_if_changed(installation.runtime, utc_now())
    assert first is not None
    assert first.changes == 1
    assert files.apply_if_changed(installation.runtime, utc_now()) is None
    (file.parent / "address").write_text("json://127.0.0.1:9/y\n")
    moved = files.apply_if_changed(installation.runtime, utc_now())
    assert moved is not None
    assert moved.changes == 1


def test_targets_and_their_subscriptions_may_stand_in_several_files(installation: AtWork, file: Path) -> None:
    file.write_text(PHONE)
    file.with_name("a subscription.toml").write_text(LOOT)
    rules.rules()
    assert (installation.count(Target), installation.count(Subscription)) == (1, 1)


def test_an_address_in_a_pipe_and_a_list_that_never_ends_hold_up_no_worker(installation: AtWork, file: Path) -> None:
    os.mkfifo(file.parent / "pipe")
    file.write_text(PHONE.replace("json://127.0.0.1:9/x", "file:pipe") + '[[follow]]\nlists = "/dev/zero"\n')
    files = RulesFiles()
    refused = files.apply_if_changed(installation.runtime, utc_now())
    assert refused is not None
    assert refused.problems == ("rules/mine.toml:3: `url`: cannot read pipe: it is no regular file",)
    assert files.apply_if_changed(installation.runtime, utc_now()) is None
