"""Rules in a file, applied from the command line."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tomlkit
from sqlalchemy import insert, update

from models import Channel, Game, Target
from pipeline.demo.sinks import WebhookSink
from tests.pipeline.cli.operator import Operator, Result
from tests.schemas import problems


@pytest.fixture
def rules(operator: Operator, hook: WebhookSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Rules":
    monkeypatch.setenv("HOOK", f"json{hook.url.removeprefix('http')}/secret-path")
    return Rules(operator, tmp_path / "rules.toml")


class Rules:
    """A file of rules and the commands on it."""

    def __init__(self, operator: Operator, path: Path) -> None:
        self.operator = operator
        self.path = path

    def apply(self, text: str, *options: str) -> Result:
        self.path.write_text(text)
        return self.operator.run("apply", str(self.path), *options)

    def targets(self) -> list[str]:
        return [line["name"] for line in self.operator.run("targets", "--json").lines]

    def subscriptions(self) -> dict[str, dict[str, object]]:
        return {line["name"]: line["conditions"] for line in self.operator.run("subscriptions", "--json").lines}


PHONE = """
[[target]]
name = "phone"
url = "env:HOOK"
timezone = "Europe/Berlin"
quiet = "22:00-07:00"
"""
LOOT = """
[[subscription]]
name = "loot"
to = "phone"
kinds = ["campaign.*", "!campaign.changed"]
games = ["Rust", "Palia"]
"""


def test_a_file_is_applied_and_the_second_time_nothing_is_left_to_do(rules: Rules) -> None:
    first = rules.apply(PHONE + LOOT)
    assert first.code == 0
    assert "+ target phone" in first.out
    assert "+ subscription loot" in first.out
    assert "2 changes made" in first.out
    assert rules.targets() == ["phone"]
    assert rules.subscriptions() == {"loot": {"kinds": ["!campaign.changed", "campaign.*"], "games": ["Rust", "Palia"]}}
    assert rules.apply(PHONE + LOOT).out.strip() == "all is as the rules say"


def test_a_dry_run_changes_nothing(rules: Rules) -> None:
    shown = rules.apply(PHONE + LOOT, "--dry-run")
    assert "2 changes, none made" in shown.out
    assert rules.targets() == []


def test_a_change_shows_what_was_and_what_will_be(rules: Rules) -> None:
    rules.apply(PHONE + LOOT)
    changed = rules.apply((PHONE + LOOT).replace("Europe/Berlin", "Asia/Tokyo").replace('"Palia"', '"Valheim"'))
    assert "timezone: Europe/Berlin → Asia/Tokyo" in changed.out
    assert "games: Rust, Palia → Rust, Valheim" in changed.out
    assert rules.apply(rules.path.read_text()).out.strip() == "all is as the rules say"


def test_settings_are_shown_in_the_words_of_the_file(rules: Rules) -> None:
    more = 'quiet = ["23:00-08:00 mon-fri", "23:00-09:00 sun, sat"]\ndigest = "weekly on mon"\nburst = "90s"\n'
    applied = rules.apply(PHONE.replace('quiet = "22:00-07:00"\n', more))
    assert [line.strip() for line in applied.out.splitlines()[1:-1]] == [
        "timezone: Europe/Berlin",
        "quiet: 23:00-08:00 mon-fri, 23:00-09:00 sat, sun",
        "digest: weekly on mon at 08:00",
        "burst: 90s",
    ]
    changed = rules.apply(PHONE + 'burst_longest = "10min"\nurgent = []\n')
    assert [line.strip() for line in changed.out.splitlines()[1:-1]] == [
        "quiet: 23:00-08:00 mon-fri, 23:00-09:00 sat, sun → 22:00-07:00",
        "digest: weekly on mon at 08:00 → none",
        "burst: 90s → none",
        "urgent: campaign.last_chance → none",
        "burst_longest: 5min → 10min",
    ]


def test_another_address_is_said_and_never_shown(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    rules.apply(PHONE)
    monkeypatch.setenv("HOOK", "json://127.0.0.1:9/another-secret")
    moved = rules.apply(PHONE)
    assert "another address" in moved.out
    assert "secret" not in moved.out + moved.errors


def test_what_is_gone_from_the_file_goes_and_what_was_made_by_hand_stays(rules: Rules) -> None:
    rules.apply(PHONE + LOOT)
    rules.operator.run("targets", "add", "tablet", "json://127.0.0.1:9/x")
    rules.operator.run("subscriptions", "add", "--to", "phone", "--game", "Rust")
    removed = rules.apply(PHONE)
    assert "- subscription loot" in removed.out
    assert list(rules.subscriptions()) == ["phone: everything of Rust"]
    assert rules.targets() == ["phone", "tablet"]
    gone = rules.apply("# nothing\n")
    assert "- target phone" in gone.out
    assert rules.targets() == ["tablet"]


def test_a_block_takes_over_what_was_made_by_hand_under_its_name(rules: Rules) -> None:
    rules.operator.run("targets", "add", "phone", "json://127.0.0.1:9/x")
    assert "target phone (was made by hand)" in rules.apply(PHONE).out
    assert "- target phone" in rules.apply("").out


def test_a_subscription_for_several_targets_becomes_one_for_each(rules: Rules) -> None:
    both = PHONE + PHONE.replace('"phone"', '"tablet"') + LOOT.replace('"phone"', '["phone", "tablet"]')
    assert rules.apply(both).code == 0
    assert list(rules.subscriptions()) == ["loot (phone)", "loot (tablet)"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            PHONE.replace("HOOK", "HOKO"), "rules.toml:4: `url`: the variable HOKO is not set", id="no variable"
        ),
        pytest.param(PHONE.replace("env:HOOK", "file:gone"), "rules.toml:4: `url`: cannot read gone", id="no file"),
        pytest.param(LOOT, "'loot' goes to 'phone', and no target is called so", id="no target"),
        pytest.param(PHONE + LOOT.replace("campaign.*", "campain.*"), "Unknown kind campain.*", id="no kind"),
        pytest.param(PHONE.replace("Europe/Berlin", "Berlin/Europe"), "There is no time zone", id="no time zone"),
        pytest.param(PHONE.replace("quiet", "quite"), "did you mean `quiet`?", id="a typo"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_changed(rules: Rules, text: str, expected: str) -> None:
    refused = rules.apply(text)
    assert refused.code == 1
    assert expected in refused.errors
    assert rules.targets() == []


def test_a_channel_that_is_known_is_not_waited_for_where_its_address_is_written(rules: Rules) -> None:
    row = {"service": "twitch", "external_id": "1", "login": "shroud", "first_seen_at": datetime.now(UTC)}
    with rules.operator.engine.begin() as connection:
        connection.execute(insert(Channel).values(row))
    text = PHONE + LOOT.partition("games")[0] + 'channels = ["https://www.twitch.tv/shroud", "xqc"]\n'
    waiting = [line for line in rules.apply(text).errors.splitlines() if "waits" in line]
    assert len(waiting) == 1
    assert "xqc" in waiting[0]


def test_a_zone_that_is_written_otherwise_than_it_is_spelled_is_applied_once(rules: Rules) -> None:
    written = PHONE.replace("Europe/Berlin", "europe/berlin")
    assert written != PHONE
    assert "timezone: Europe/Berlin" in rules.apply(written).out
    assert "timezone" not in rules.apply(written).out


def test_a_target_that_a_subscription_names_twice_has_it_once(rules: Rules) -> None:
    twice = rules.apply(PHONE + LOOT.replace('"phone"', '["phone", "phone"]'))
    assert twice.out.count("+ subscription loot") == 1
    assert list(rules.subscriptions()) == ["loot"]


def test_settings_and_rules_may_stand_in_one_file(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rules.path.parent)
    # As some editors write it, with a byte order mark.
    Path("lootwire.toml").write_text(f"feed_items = 7\n{PHONE}", encoding="utf-8-sig")
    assert rules.operator.run("apply").code == 0
    assert rules.targets() == ["phone"]


def test_changes_are_for_programs_too(rules: Rules) -> None:
    lines = rules.apply(PHONE + LOOT, "--json").lines
    assert [(line["action"], line["what"], line["name"]) for line in lines] == [
        ("add", "target", "phone"),
        ("add", "subscription", "loot"),
    ]


def test_what_there_is_is_written_as_a_file_that_changes_nothing(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    rules.apply(PHONE + LOOT)
    rules.operator.run("targets", "add", "my tablet", "json://127.0.0.1:9/hidden")
    rules.operator.run("subscriptions", "add", "--to", "my tablet", "--kind", "stream.*")
    written = rules.operator.run("rules", "export").out
    assert 'url = "env:HOOK"' in written
    assert 'url = "env:MY_TABLET_URL"' in written
    assert "hidden" not in written
    monkeypatch.setenv("MY_TABLET_URL", "json://127.0.0.1:9/hidden")
    assert {line["action"] for line in rules.apply(written, "--json").lines} == {"take over"}
    assert rules.apply(written).out.strip() == "all is as the rules say"
    schema = json.loads(rules.operator.run("rules", "schema").out)
    assert list(problems(tomlkit.parse(written).unwrap(), schema)) == []


def test_an_address_in_a_file_is_found_from_wherever_the_export_is_written(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = rules.operator.folder / "elsewhere"
    folder.mkdir()
    (folder / "address").write_text("json://127.0.0.1:9/secret-path\n")
    (folder / "old.toml").write_text(PHONE.replace("env:HOOK", "file:address"))
    monkeypatch.chdir(folder)
    rules.operator.run("apply", "old.toml")
    written = rules.operator.run("rules", "export").out
    assert f'url = "file:{folder}/address"' in written
    (folder / "old.toml").unlink()
    assert "~ target phone" in rules.apply(written).out
    assert rules.apply(written).out.strip() == "all is as the rules say"


def test_a_name_in_a_file_that_nothing_has_is_told_with_its_line_and_the_nearest_one(rules: Rules) -> None:
    with rules.operator.engine.begin() as connection:
        connection.execute(insert(Game).values(name="Palia", name_key="palia", public_id="01234567"))
    text = PHONE + LOOT.replace('"Rust", "Palia"', '"Pailia"') + 'lists = ["wishes", "wishlist"]\n'
    text += '[[follow]]\nlists = "wishlist.csv"\n'
    (rules.path.parent / "wishlist.csv").write_text("title\n")
    applied = rules.apply(text, "--dry-run")
    waiting = [line.partition("rules.toml")[2] for line in applied.errors.splitlines() if "waits" in line]
    assert waiting == [
        ":12: no game named 'Pailia' is known yet (did you mean Palia?): 'loot' waits for one of that name",
        ":13: no list named 'wishes' is known yet (did you mean wishlist?): 'loot' waits for one of that name",
    ]
    rules.apply(text)
    assert "waits for" not in rules.apply(text).errors


def test_quiet_hours_of_a_whole_day_are_written_as_they_are_read(rules: Rules) -> None:
    rules.apply(PHONE.replace("22:00-07:00", "00:00-24:00 sun"))
    assert 'quiet = ["00:00-24:00 sun"]' in rules.operator.run("rules", "export").out
    # As older versions took them.
    of_old = {"quiet": [{"begins": "22:00", "ends": "22:00", "days": ["sun"]}]}
    with rules.operator.engine.begin() as connection:
        connection.execute(update(Target).values(settings=of_old))
    written = rules.operator.run("rules", "export").out
    assert 'quiet = ["22:00-24:00 sun", "00:00-22:00 mon"]' in written
    assert rules.apply(written).code == 0


def test_the_schema_is_printed(rules: Rules) -> None:
    schema = json.loads(rules.operator.run("rules", "schema").out)
    assert "timezone" in json.dumps(schema["$defs"]["TargetBlock"])


def test_where_there_are_no_rules_that_is_said(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    (rules.path.parent / "empty").mkdir()
    monkeypatch.chdir(rules.path.parent / "empty")
    assert "there are no rules here" in rules.operator.run("apply").errors


def test_what_cannot_be_followed_now_is_said_and_the_rest_is_done(rules: Rules) -> None:
    applied = rules.apply(PHONE + '[[follow]]\nchannels = ["shroud"]\n[[follow]]\ndrops = true\n')
    assert applied.code == 3
    assert "channel shroud: streams need TWITCH_CLIENT_ID" in applied.errors
    assert rules.targets() == ["phone"]
    again = rules.apply(rules.path.read_text(), "--dry-run")
    assert "+ follow channel shroud" in again.out
    assert "follow drops" not in again.out


def test_what_came_from_a_file_that_is_deleted_goes_and_nothing_else(rules: Rules) -> None:
    folder = rules.operator.folder / "rules"
    folder.mkdir()
    (folder / "phone.toml").write_text(PHONE)
    (folder / "desk.toml").write_text(PHONE.replace("phone", "desk"))
    rules.operator.run("apply")
    rules.apply(PHONE.replace("phone", "given"))
    (folder / "desk.toml").unlink()
    rules.path.unlink()
    assert "- target desk" in rules.operator.run("apply", "--dry-run").out
    assert set(rules.targets()) == {"phone", "desk", "given"}
    rules.operator.run("apply")
    assert set(rules.targets()) == {"phone", "given"}
    (folder / "phone.toml").unlink()
    assert "- target phone" in rules.operator.run("apply").out


ADMIN = """
[[target]]
name = "admin"
url = "env:HOOK"
timezone = "Europe/Berlin"
role = "operator"
heartbeat = "weekly on mon at 08:00"
"""


def test_an_operators_target_is_made_shown_written_back_and_ended_by_a_file(rules: Rules) -> None:
    first = rules.apply(ADMIN)
    assert (first.code, "role: operator" in first.out) == (0, True)
    assert rules.apply(ADMIN).out.strip() == "all is as the rules say"
    (target,) = rules.operator.run("targets", "--json").lines
    assert (target["role"], target["settings"]["heartbeat"]) == (
        "operator",
        {"every": "week", "at": "08:00"},
    )
    assert "operator" in rules.operator.run("targets").out
    exported = rules.operator.run("rules", "export").out
    assert 'role = "operator"' in exported
    assert 'heartbeat = "weekly on mon at 08:00"' in exported
    assert rules.apply(exported, "--dry-run").out.strip() == "all is as the rules say"
    plain = ADMIN.partition("role")[0]
    assert "role: operator → none" in rules.apply(plain).out
    assert rules.operator.run("targets", "--json").lines[0]["role"] is None


def test_the_schema_knows_the_operators_role(rules: Rules) -> None:
    (schema,) = rules.operator.run("rules", "schema").lines
    fields = schema["$defs"]["TargetBlock"]["properties"]
    assert "operator" in json.dumps(fields["role"])
    assert "heartbeat" in fields


def test_a_file_that_says_nothing_of_private_addresses_leaves_a_target_as_it_is(rules: Rules) -> None:
    rules.apply(PHONE)
    assert "private: no → yes" in rules.apply(PHONE + "private = true\n").out
    assert rules.apply(PHONE).out.strip() == "all is as the rules say"
    assert rules.operator.run("targets", "--json").lines[0]["settings"]["private"] is True
    # Another change keeps it, too.
    rules.apply(PHONE.replace("Europe/Berlin", "Asia/Tokyo"))
    assert rules.operator.run("targets", "--json").lines[0]["settings"]["private"] is True
    assert "private: yes → no" in rules.apply(PHONE + "private = false\n").out
    assert "private" not in rules.operator.run("rules", "export").out
    rules.apply("[defaults]\nprivate = true\n" + PHONE)
    assert "private = true" in rules.operator.run("rules", "export").out


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (PHONE.replace("Berlin", "Berln"), ":5: `timezone`: There is no time zone 'Europe/Berln'"),
        (PHONE.replace("env:HOOK", "jsn://127.0.0.1/x"), ":4: `url`: "),
        (PHONE.replace('"phone"', '""'), ":3: `name`: "),
        (
            f"[defaults]\nburst = '10min'\n{PHONE}burst_longest = '1min'\n",
            ":9: `burst_longest`: burst (600 s) is more than burst_longest (60 s); no message waits longer than that",
        ),
        (PHONE + LOOT + "min_minutes = 9\nmax_minutes = 8\n", ":13: `min_minutes`: min_minutes (9) is more than"),
        (PHONE + LOOT.replace("campaign.*", "campaing.*"), ":11: `kinds`: Unknown kind campaing.*"),
    ],
)
def test_a_value_that_is_none_is_named_with_its_line_by_a_dry_run_too(rules: Rules, text: str, mistake: str) -> None:
    for options in (("--dry-run",), ()):
        refused = rules.apply(text, *options)
        assert refused.code == 1
        assert f"rules.toml{mistake}" in refused.errors
    assert rules.targets() == []


def test_what_came_from_another_file_is_said_to_come_from_there(rules: Rules) -> None:
    rules.apply(PHONE)
    other = rules.operator.folder / "other.toml"
    other.write_text(PHONE)
    rules.path.write_text("")
    assert "~ target phone (came from " in rules.operator.run("apply", str(other), "--dry-run").out


def test_a_private_address_in_a_file_is_said_to_be_refused(rules: Rules) -> None:
    warned = rules.apply(LOOT + PHONE).errors
    assert "rules.toml:8: the address of 'phone' is in a private network, and nothing is sent there until" in warned
    assert "private network" not in rules.apply(LOOT + PHONE + "private = true\n").errors
    assert "private network" not in rules.apply(LOOT + PHONE.replace("Berlin", "Rome")).errors


def test_a_name_that_another_file_has_still_is_not_taken_from_it(rules: Rules) -> None:
    rules.apply(PHONE + LOOT)
    other = rules.operator.folder / "other.toml"
    for text, name in ((PHONE, "'phone' is the name of a target"), (LOOT, "'loot' is the name of a subscription")):
        other.write_text(text)
        refused = rules.operator.run("apply", str(other))
        assert refused.code == 1
        assert f"other.toml:3: {name} in {rules.path.resolve()} too, from which it came; remove it" in refused.errors
    assert rules.apply(PHONE + LOOT).out.strip() == "all is as the rules say"


def test_a_file_that_is_deleted_from_a_folder_of_ones_own_is_said_to_be_gone(rules: Rules) -> None:
    folder = rules.operator.folder / "my rules"
    folder.mkdir()
    (folder / "phone.toml").write_text(PHONE)
    rules.operator.run("apply", str(folder / "phone.toml"))
    (folder / "phone.toml").unlink()
    way = f"; what came from it goes with `lootwire apply '{folder}'`, which shows it"
    assert f"lootwire: {folder}/phone.toml is gone{way}\n" in rules.apply(PHONE.replace("phone", "desk")).errors
    again = rules.operator.run("apply", str(folder / "phone.toml"))
    assert (again.code, again.errors) == (2, f"lootwire: cannot read {folder}/phone.toml: no such file{way}\n")
    assert rules.targets() == ["desk", "phone"]
    gone = rules.operator.run("apply", str(folder), "--dry-run")
    assert ("- target phone" in gone.out, gone.errors) == (True, "")
    # What another file takes over is missed no more.
    (folder / "renamed.toml").write_text(PHONE + "private = true\n")
    assert rules.operator.run("apply", str(folder / "renamed.toml")).errors == ""


def test_a_block_may_move_to_another_file_of_its_folder_which_may_be_called_otherwise(rules: Rules) -> None:
    folder = rules.operator.folder / "rules"
    folder.mkdir()
    drops = "[[follow]]\ndrops = true\n"
    (folder / "a.toml").write_text(PHONE + LOOT + drops)
    rules.operator.run("apply")
    (folder / "a.toml").write_text("")
    (folder / "b.toml").write_text(PHONE + LOOT + drops)
    moved = rules.operator.run("apply")
    assert (moved.code, "- " in moved.out, moved.out.count("~ ")) == (0, False, 2)
    (folder / "b.toml").rename(folder / "c.toml")
    renamed = rules.operator.run("apply")
    assert (renamed.code, "- " in renamed.out, renamed.out.count("~ ")) == (0, False, 2)
    assert (rules.targets(), list(rules.subscriptions())) == (["phone"], ["loot"])
    assert rules.operator.run("apply").out.strip() == "all is as the rules say"
    (folder / "c.toml").unlink()
    gone = [line for line in rules.operator.run("apply").out.splitlines() if line.startswith("- ")]
    assert sorted(gone) == ["- follow drops", "- subscription loot", "- target phone"]


def test_a_subscription_may_go_to_a_target_that_stands_in_a_file_which_is_read_later(rules: Rules) -> None:
    folder = rules.operator.folder / "rules"
    folder.mkdir()
    (folder / "a.toml").write_text(LOOT)
    (folder / "b.toml").write_text(PHONE)
    shown, applied = (rules.operator.run("apply", *options) for options in (["--dry-run"], []))
    assert (shown.code, applied.code, applied.errors.count("no target")) == (0, 0, 0), applied
    assert (rules.targets(), list(rules.subscriptions())) == (["phone"], ["loot"])
    # The other way round: what goes from both goes, the subscription first.
    for name in ("a.toml", "b.toml"):
        (folder / name).write_text("")
    assert [rules.operator.run("apply", *options).code for options in (["--dry-run"], [])] == [0, 0]
    assert (rules.targets(), rules.subscriptions()) == ([], {})


def test_all_mistakes_of_all_files_are_named_in_one_run_each_with_the_line_of_its_key(rules: Rules) -> None:
    folder = rules.operator.folder / "rules"
    folder.mkdir()
    (folder / "a.toml").write_text(PHONE + LOOT.replace("campaign.*", "campaing.*") + 'min_minutes = "many"\n')
    desk = PHONE.replace("phone", "desk").replace("Berlin", "Berln")
    (folder / "b.toml").write_text(desk + PHONE + LOOT.replace("loot", "other").replace('"phone"', '["phon", "desk"]'))
    (folder / "c.toml").write_text("[[target]\n")
    (folder / "d.toml").write_text(LOOT + "services = 'twich'\nmin_minutes = 9\nmax_minutes = 8\n")
    for options in (["--dry-run"], []):
        refused = rules.operator.run("apply", str(folder), *options)
        assert refused.code == 1
        lines = [line.removeprefix("lootwire: ").partition(f"{folder}/")[2] for line in refused.errors.splitlines()]
        assert [re.split(" Kinds: |; write|; swap", line)[0] for line in lines] == [
            "a.toml:11: `kinds`: Unknown kind campaing.*. Did you mean campaign.*?",
            "a.toml:13: `min_minutes`: must be a whole number",
            "b.toml:5: `timezone`: There is no time zone 'Europe/Berln'",
            f"b.toml:9: 'phone' is the name of a target in {folder}/a.toml too",
            "b.toml:16: 'other' goes to 'phon', and no target is called so; did you mean `phone`?",
            "c.toml:1: unexpected character: '\\n' at line 1 col 9",
            f"d.toml:3: 'loot' is the name of a subscription in {folder}/a.toml too",
            "d.toml:7: `services`: Unknown service; there are: chzzk, kick, twitch. Did you mean twitch?",
            "d.toml:8: `min_minutes`: min_minutes (9) is more than max_minutes (8), so that no campaign fits",
        ]
    assert rules.targets() == []


def test_what_cannot_be_followed_is_said_with_its_line_by_a_dry_run_too(rules: Rules) -> None:
    (rules.path.parent / "none.txt").write_text("")
    text = PHONE + '[[follow]]\ndrops = true\n\n[[follow]]\nchannels = ["shroud"]\nlists = ["gone.csv", "none.txt"]\n'
    for options in (["--dry-run"], []):
        applied = rules.apply(text, *options)
        assert applied.code == 3
        lines = [line.partition("rules.toml")[2].partition(": create an")[0] for line in applied.errors.splitlines()]
        assert lines[-3:] == [
            ":11: channel shroud: streams need TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET",
            f":12: list gone: cannot read {rules.path.parent}/gone.csv: No such file or directory",
            ":12: list none: this list names no games (read as text)",
        ]
    assert rules.targets() == ["phone"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(PHONE + LOOT, 0, id="all is right"),
        pytest.param(LOOT + PHONE, 0, id="the target comes last"),
        pytest.param(PHONE + LOOT.replace('"phone"', '["phone"]') + "[[follow]]\ndrops = true\n", 0, id="a follow"),
        pytest.param("", 0, id="all that was goes"),
        pytest.param(LOOT, 1, id="its target is gone from the file"),
        pytest.param(PHONE + LOOT.replace('"phone"', '"desk"'), 1, id="no target"),
        pytest.param(PHONE + LOOT.replace("loot", "l\\u0000t"), 1, id="a name that no database keeps"),
        pytest.param(PHONE + LOOT.replace("loot", "loot" * 2000), 1, id="a name that no index keeps"),
        pytest.param(PHONE.replace("env:HOOK", "file:/dev/zero"), 1, id="an address that never ends"),
        pytest.param(PHONE + PHONE, 1, id="a name twice"),
        pytest.param(PHONE + '[[follow]]\nlists = "nolist.csv"\n', 3, id="a list that is not there"),
        pytest.param(PHONE + '[[follow]]\nlists = "/dev/zero"\n', 3, id="a list that never ends"),
    ],
)
def test_a_dry_run_succeeds_where_the_real_run_does_and_shows_the_same(rules: Rules, text: str, code: int) -> None:
    rules.apply(PHONE + LOOT.replace("loot", "old"))
    before = (rules.targets(), rules.subscriptions())
    shown = rules.apply(text, "--dry-run")
    assert (shown.code, rules.targets(), rules.subscriptions()) == (code, *before), shown
    applied = rules.apply(text)
    assert (applied.code, applied.errors) == (code, shown.errors)
    # But for the last line, which counts what was made.
    assert applied.out.splitlines()[:-1] == shown.out.splitlines()[:-1]
