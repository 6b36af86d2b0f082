"""Wrong commands and expected troubles: one line that says what to do, and never a traceback."""

from pathlib import Path

import pytest

from tests.pipeline.cli.operator import Operator


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "No such command 'frobnicate'; see `lootwire --help`"),
        (["targets", "frobnicate"], "No such command 'frobnicate'; see `lootwire targets --help`"),
        (["events", "--nope"], "No such option: --nope"),
        (["events", "--limit", "many"], "Invalid value for '--limit'"),
        (["events", "--limit", "0"], "Invalid value for '--limit'"),
        (["events", "--since", "yesterday"], "'yesterday' is no time: write 30d, 12h,"),
        (
            ["events", "--kind", "campaign.eaten"],
            "there is no kind 'campaign.eaten'; did you mean campaign.ended or campaign.started? there are:",
        ),
        (["deliveries", "--state", "lost"], "'lost' is not one of 'pending', 'sending', 'sent', 'dead'"),
        (["why"], "Missing argument"),
        (["why", "so"], "Invalid value"),
        (["why", "99999999999999999999"], "Invalid value for 'delivery'"),
        (["quarantine", "--payload", "99999999999999999999"], "Invalid value for '--payload'"),
        (["subscriptions", "remove", "99999999999999999999"], "Invalid value for 'number'"),
        (["import"], "see `lootwire import --help`"),
        (["targets", "add"], "Missing argument"),
        (["subscriptions", "add"], "Missing option '--to'"),
        (["up", "extra"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_exits_with_2_and_names_the_help(operator: Operator, arguments: list[str], message: str) -> None:
    result = operator.run(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.errors.startswith("lootwire: ")
    assert result.errors.count("\n") == 1
    assert message in result.errors
    assert "see `lootwire" in result.errors


@pytest.mark.parametrize(
    "arguments", [["games", "show", "\udc80"], ["channels", "stats", "\udc80"], ["targets", "test", "\udc80"]]
)
def test_bytes_that_are_no_text_are_wrong_usage(operator: Operator, arguments: list[str]) -> None:
    result = operator.run(*arguments)
    assert result.code == 2
    assert result.errors == "lootwire: '\\udc80' is no text in UTF-8\n"


def test_an_age_beyond_the_calendar_means_everything(operator: Operator) -> None:
    assert operator.run("events", "--since", "99999999999d").code == 0


@pytest.mark.parametrize(
    "noun",
    ["sources", "events", "feeds", "deliveries", "quarantine", "channels", "games", "igdb", "targets", "subscriptions"],
)
def test_a_noun_alone_says_what_its_list_says(operator: Operator, noun: str) -> None:
    alone, listed = operator.run(noun), operator.run(noun, "list")
    assert (alone.code, listed.code) == (0, 0)
    assert alone.out == listed.out != ""


def test_no_command_at_all_shows_them_all(operator: Operator) -> None:
    result = operator.run()
    assert result.code == 0
    for command in ("up", "once", "demo", "import", "sources", "targets", "events", "status", "doctor"):
        assert f"\n  {command} " in result.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["why", "99"], "there is no delivery 99; `lootwire deliveries` lists them"),
        (["quarantine", "--payload", "99"], "there is no payload 99; `lootwire quarantine` lists them"),
        (["sources", "--now", "nowhere"], "there is no source `nowhere`; there are: twitch.drops"),
        (["targets", "remove", "nobody"], "There is no target of that name"),
        (["targets", "test", "nobody"], "There is no target of that name"),
        (["targets", "add", "me", "not a url"], "no Apprise URL"),
        (["targets", "add", "me", "file:///etc/passwd"], "lootwire: "),
        (["subscriptions", "add", "--to", "nobody"], "There is no target of that name"),
        (["subscriptions", "remove", "99"], "There is no subscription 99"),
        (["subscriptions", "try", "nobody"], "There is no target of that name"),
        (["targets", "set", "nobody", "--name", "somebody"], "There is no target of that name"),
        (["targets", "pause", "nobody"], "There is no target of that name"),
        (["targets", "resume", "nobody"], "There is no target of that name"),
        (["targets", "add", "me", "json://127.0.0.1/", "--timezone", "Mars"], "There is no time zone 'Mars'"),
        (["channels", "stats", "nobody"], "no channel 'nobody' is known"),
        (["channels", "remove", "nobody"], "nobody: is not followed"),
        (["channels", "import", "missing.txt"], "missing.txt cannot be read: No such file or directory"),
        (["games", "show", "Nothing"], "no game named 'Nothing'"),
        (["games", "unfollow", "Nothing"], "'Nothing' is not followed"),
        (["games", "link", "Nothing"], "no game named 'Nothing'"),
        (["games", "lists", "show", "wishes"], "there is no list 'wishes'"),
        (["games", "lists", "remove", "wishes"], "there is no list 'wishes'"),
        (["games", "lists", "import", "missing.txt"], "missing.txt cannot be read: No such file or directory"),
        (["import", "missing"], "missing: no such file or folder"),
        (["import", "--git", "missing", "--path", "drops.json"], "no such folder"),
        (["import", "missing", "--time", "%Q"], "unknown %Q"),
        (["export", "--output", "missing/file"], "there is no folder"),
        (["sources", "login", "nowhere"], "there is no sign-in for 'nowhere'"),
    ],
)
def test_what_does_not_exist_is_wrong_usage_and_says_what_does(
    operator: Operator, arguments: list[str], message: str
) -> None:
    result = operator.run(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert message in result.errors
    assert result.errors.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LOOTWIRE_HTTP_PORT", "high", "LOOTWIRE_HTTP_PORT (from environment)"),
        ("LOOTWIRE_LOG_LEVEL", "loud", "LOOTWIRE_LOG_LEVEL (from environment)"),
        (
            "DATABASE_URL",
            "mysql://root:hunter2@there/x",
            "DATABASE_URL (from environment): must start with postgresql://",
        ),
        ("REDIS_URL", "hunter2", "REDIS_URL (from environment): must start with redis://"),
        ("LOOTWIRE_KICK_URL", "ftp://there", "LOOTWIRE_KICK_URL (from environment): must start with http://"),
    ],
)
@pytest.mark.parametrize("command", ["up", "once", "status", "doctor"])
def test_a_wrong_setting_is_named_with_its_origin_and_without_its_secret(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, command: str, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    result = operator.run(command)
    assert result.code == 1
    assert message in result.errors
    assert "hunter2" not in result.out + result.errors


def test_a_misspelt_setting_is_told_and_does_not_stop_the_command(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOOTWIRE_HTTPPORT", "1")
    result = operator.run("status", "--json")
    assert result.code == 0
    assert len(result.lines) == 1
    assert (
        result.errors
        == "lootwire: LOOTWIRE_HTTPPORT is not a setting of this version; `lootwire doctor` lists them all\n"
    )


@pytest.mark.parametrize("command", ["up", "once", "status", "events", "targets", "publish"])
def test_a_database_that_is_away_is_told_in_a_line(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://lootwire:hunter2@127.0.0.1:1/lootwire")
    monkeypatch.setenv("LOOTWIRE_HTTP_PORT", "0")
    monkeypatch.setenv("LOOTWIRE_RECEIVER_PORT", "0")
    result = operator.run(command)
    assert result.code == 1
    assert result.errors.startswith("lootwire: the database does not answer: ")
    assert result.errors.count("\n") == 1
    assert "hunter2" not in result.errors


@pytest.mark.parametrize("command", ["up", "once"])
def test_a_broker_that_is_away_is_told_before_anything_starts(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@127.0.0.1:1/0")
    monkeypatch.setenv("LOOTWIRE_HTTP_PORT", "0")
    monkeypatch.setenv("LOOTWIRE_RECEIVER_PORT", "0")
    result = operator.run(command)
    assert result.code == 1
    assert result.errors.startswith("lootwire: the broker does not answer: ")
    assert "hunter2" not in result.errors


def test_doctor_finds_all_well(operator: Operator) -> None:
    result = operator.run("doctor")
    assert result.code == 0
    assert "database: well\nbroker: well\n" in result.out
    assert "no targets yet" in result.out


def test_doctor_names_every_trouble_and_exits_with_1(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("taken").touch()
    monkeypatch.setenv("LOOTWIRE_PUBLISH_DIR", str(Path("taken").absolute()))
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    result = operator.run("doctor")
    assert result.code == 1
    assert "database: well" in result.out
    assert "broker: the broker does not answer" in result.out
    assert "taken: it cannot be written: File exists; see LOOTWIRE_PUBLISH_DIR" in result.out
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x")
    assert "database: the database does not answer" in operator.run("doctor").out


@pytest.mark.parametrize("command", ["up", "once"])
def test_a_published_folder_that_cannot_be_written_is_told_before_anything_starts(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    Path("taken").touch()
    monkeypatch.setenv("LOOTWIRE_PUBLISH_DIR", str(Path("taken/public").absolute()))
    result = operator.run(command)
    assert (result.code, result.out, result.errors.count("\n")) == (1, "", 1)
    assert "taken/public: it cannot be written: Not a directory; see LOOTWIRE_PUBLISH_DIR" in result.errors


@pytest.mark.parametrize(("name", "missing"), [("ID", "SECRET"), ("SECRET", "ID")])
def test_of_two_settings_that_belong_together_the_missing_one_is_named(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, name: str, missing: str
) -> None:
    monkeypatch.setenv(f"TWITCH_CLIENT_{name}", "hunter2")
    for command in ("status", "doctor"):
        assert f"streams need TWITCH_CLIENT_{missing}\n" in operator.run(command).out
    for arguments in (("channels", "add", "grace"), ("games", "follow", "Rust"), ("igdb", "sync")):
        result = operator.run(*arguments)
        assert (result.code, f"TWITCH_CLIENT_{missing} is not set" in result.errors) == (1, True)
        assert "hunter2" not in result.errors


def test_doctor_shows_the_published_folder_that_is_in_effect(operator: Operator) -> None:
    rows = {row["setting"]: row for row in operator.run("doctor", "--json").lines}
    assert rows["LOOTWIRE_PUBLISH_DIR"]["value"] == str(operator.folder / "data/public")
    assert rows["LOOTWIRE_PUBLISH_DIR"]["origin"] == "default"


@pytest.mark.parametrize(("host", "is_open"), [("0.0.0.0", True), ("::1", False), ("localhost", False)])
def test_doctor_says_in_words_who_reaches_the_ports(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, host: str, is_open: bool
) -> None:
    monkeypatch.setenv("LOOTWIRE_HTTP_HOST", host)
    result = operator.run("doctor").out
    assert ("every machine that reaches this one can read the published folder on port 8420" in result) is is_open


@pytest.mark.parametrize("command", ["up", "status"])
def test_a_data_directory_that_cannot_be_made_says_what_to_set(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    Path("file").touch()
    monkeypatch.setenv("LOOTWIRE_DATA_DIR", str(Path("file/data").absolute()))
    monkeypatch.setenv("LOOTWIRE_HTTP_PORT", "0")
    monkeypatch.setenv("LOOTWIRE_RECEIVER_PORT", "0")
    result = operator.run(command)
    assert result.code == 1
    assert "file/data: Not a directory. Set LOOTWIRE_DATA_DIR" in result.errors
