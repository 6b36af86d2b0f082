"""A rules file is read in the words that people write, and a mistake names its line and what was meant."""

import json
from datetime import time

import pytest

from notifiers.conditions.conditions import Conditions
from notifiers.rules.reading import RulesError, read_rules
from notifiers.rules.shapes import json_schema
from notifiers.timing.settings import Digest, TargetSettings, Window, read_time

FILE = """
# Settings stand in the same file.
http_port = 8421

[defaults]
timezone = "Europe/Berlin"
quiet = ["23:00-08:00 sat, sun", "22:00 - 07:00 mon-fri"]

[[target]]
name = "phone"
url = "env:PHONE"
burst = "30s"

[[target]]
name = "mail"
url = "file:secrets/mail"
quiet = []
digest = "daily at 18:30"
urgent = "stream.online"
locale = "de"

[[subscription]]
name = "loot for what I play"
to = ["phone", "mail"]
kinds = ["campaign.*", "!campaign.changed"]
games = "Rust"
max_minutes = 240
no_subscriptions = true

[[follow]]
channels = ["shroud"]
"""


def test_a_file_says_what_its_blocks_say() -> None:
    rules = read_rules(FILE, "lootwire.toml")
    phone, mail = (target.settings(rules.defaults) for target in rules.target)
    assert phone == TargetSettings(
        quiet=(
            Window(begins="23:00", ends="08:00", days=("sat", "sun")),
            Window(begins="22:00", ends="07:00", days=("mon", "tue", "wed", "thu", "fri")),
        ),
        burst_seconds=30,
    )
    assert mail == TargetSettings(digest=Digest(every="day", at="18:30"), urgent=("stream.online",), locale="de")
    (subscription,) = rules.subscription
    assert subscription.to == ["phone", "mail"]
    assert subscription.conditions == Conditions(
        kinds=("campaign.*", "!campaign.changed"), games=("Rust",), max_minutes=240, no_subscriptions=True
    )
    assert rules.follow[0].channels == ["shroud"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("hourly", Digest(every="hour", at="00:00")),
        ("hourly at :15", Digest(every="hour", at="00:15")),
        ("daily", Digest(every="day", at="08:00")),
        ("Weekly on Friday at 18:00", Digest(every="week", day="fri", at="18:00")),
    ],
)
def test_a_digest_is_written_in_a_line(written: str, expected: Digest) -> None:
    rules = read_rules(f'[[target]]\nname = "a"\nurl = "x"\ndigest = "{written}"\n', "f")
    assert rules.target[0].settings(rules.defaults).digest == expected


def test_a_target_may_want_no_digest_where_the_defaults_have_one() -> None:
    written = '[defaults]\ndigest = "daily"\n[[target]]\nname = "a"\nurl = "x"\ndigest = "None"\n'
    rules = read_rules(written, "f")
    assert rules.target[0].settings(rules.defaults).digest is None


@pytest.mark.parametrize("written", ["00:00-24:00 sun", "0:00 - 24:00 sun", "00:00-00:00 sun"])
def test_a_whole_day_is_from_midnight_to_midnight(written: str) -> None:
    rules = read_rules(f'[[target]]\nname = "a"\nurl = "x"\nquiet = "{written}"\n', "f")
    (window,) = rules.target[0].settings(rules.defaults).quiet
    assert (read_time(window.begins), window.ends, window.days) == (time(), "00:00", ("sun",))


TARGET = '[[target]]\nname = "phone"\nurl = "env:X"\n'
SUBSCRIPTION = '[[subscription]]\nname = "a"\nto = "phone"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('[[target]]\nname = "a"\n', "f:1: [[target]] needs `url`", id="a key that is missing"),
        pytest.param(
            f"{TARGET}tiemzone = 'UTC'\n", "f:4: there is no `tiemzone`; did you mean `timezone`?", id="a typo"
        ),
        pytest.param(
            f"{TARGET}\n{SUBSCRIPTION}# why\ngamess = ['Rust']\n",
            "f:9: there is no `gamess`; did you mean `games`?",
            id="a typo in a later block",
        ),
        pytest.param(f"{TARGET}quiet = '22:00'\n", "f:4: `quiet`: must be hours such as 22:00-07:00", id="no hours"),
        pytest.param(f"{TARGET}quiet = '22:00-27:00'\n", "f:4: `quiet`: '27:00' is no time of day", id="no time"),
        pytest.param(
            f"{TARGET}quiet = '22:00-22:00'\n",
            "f:4: `quiet`: 22:00-22:00 ends when it begins; write hours such as 22:00-07:00, or 00:00-24:00 sun",
            id="hours that end when they begin",
        ),
        pytest.param(
            f"{TARGET}quiet = ['08:00-20:00', '20:00-08:00']\n",
            "f:4: `quiet`: the quiet hours leave no time of the week, so that nothing would ever be sent",
            id="quiet hours without an end",
        ),
        pytest.param(
            f"{TARGET}quiet = [{{ begins = '7:30', ends = '07:30' }}]\n",
            "f:4: `quiet`: 7:30-07:30 ends when it begins",
            id="a table of hours that end when they begin",
        ),
        pytest.param(
            f"{TARGET}quiet = '22:00-07:00 fry'\n", "'fry' is none of mon, tue, wed, thu, fri, sat, sun", id="no day"
        ),
        pytest.param(f"{TARGET}digest = 'monthly'\n", "f:4: `digest`: must be hourly, daily, weekly", id="no digest"),
        pytest.param(
            f"{TARGET}role = 'oprator'\n", "f:4: `role`: 'oprator' is none of operator; did you", id="no role"
        ),
        pytest.param(
            f"{TARGET}heartbeat = 'daily'\n",
            'f:4: `heartbeat` needs `role = "operator"`',
            id="a heartbeat of no operator",
        ),
        pytest.param(
            f"{TARGET}role = 'operator'\nheartbeat = 'hourly'\n",
            "f:5: `heartbeat`: must be daily or weekly, such as `daily at 08:00`",
            id="an hourly heartbeat",
        ),
        pytest.param(
            f"{TARGET}role = 'operator'\nheartbeat = 'monthly'\n",
            "f:5: `heartbeat`: must be daily, weekly, or such as `daily at 08:00` and `weekly on mon at 08:00`",
            id="no heartbeat",
        ),
        pytest.param(
            f"{TARGET}urgent = ['campain.last_chance']\n",
            "f:4: `urgent`: Unknown kind campain.last_chance. Did you mean campaign.last_chance?",
            id="no urgent kind",
        ),
        pytest.param(
            f"{SUBSCRIPTION}kinds = [\n  'campaign.*',\n  'strem.online',\n]\n",
            "f:4: `kinds`: Unknown kind strem.online. Did you mean stream.online?",
            id="no kind",
        ),
        pytest.param(
            f"{SUBSCRIPTION}kinds = ['campaign.*', '!campaign.*']\n",
            "f:4: `kinds`: No kind is left by campaign.*, !campaign.*",
            id="kinds of which none is left",
        ),
        pytest.param(
            f"{SUBSCRIPTION}languages = ['german']\n",
            "which are written as en, de or pt-BR; did you mean de?",
            id="no language of streams",
        ),
        pytest.param(
            f"{SUBSCRIPTION}require = ['?!']\n",
            "f:4: `require`: '?!' is no word: it has punctuation alone",
            id="no word",
        ),
        pytest.param(f"{TARGET}locale = 'xx'\n", "f:4: `locale`: must be a language such as en", id="no language"),
        pytest.param(f"{TARGET}burst = 'soon'\n", "f:4: `burst`: must be a time such as 30s", id="no time span"),
        pytest.param(
            f"{SUBSCRIPTION}rewards = ['bagde']\n",
            "'bagde' is none of badge, emote, item; did you mean `badge`?",
            id="a word",
        ),
        pytest.param(
            f"{SUBSCRIPTION}library = ['ownd']\n",
            "'ownd' is none of owned, playing, backlog, wished, finished, abandoned, rom; did you mean `owned`?",
            id="nothing that a game is",
        ),
        pytest.param(f"{SUBSCRIPTION}min_minutes = -1\n", "f:4: `min_minutes`: must be at least 0", id="a number"),
        pytest.param(
            f"{TARGET}{TARGET}", "f:5: 'phone' is the name of the [[target]] in line 1 too", id="a name twice"
        ),
        pytest.param("[[follow]]\ntop = 5\n", "f:1: [[follow]] needs `channels`", id="nothing to follow"),
        pytest.param("[[target]\nname = 'a'\n", "f:1: ", id="no TOML"),
        pytest.param(f'{TARGET}name = "desk"\n', 'f:4: key "name" already exists.', id="a key twice"),
        pytest.param("x = " + "[" * 5000, "f:1: TOML value nested more than 100", id="too deep"),
    ],
)
def test_a_mistake_names_its_line_and_what_was_meant(text: str, expected: str) -> None:
    with pytest.raises(RulesError) as raised:
        read_rules(text, "f")
    assert expected in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TARGET.replace('"phone"', "5"), "2: `name`: must be a text"),
        (f"{TARGET}quiet = 5\n", "4: `quiet`: must be a list"),
        (f"{TARGET}quiet = [5]\n", "4: `quiet`: must be hours such as 22:00-07:00, or 23:00-08:00 sat, sun"),
        (
            f"{TARGET}digest = true\n",
            "4: `digest`: must be hourly, daily, weekly, none, or such as `daily at 08:00`",
        ),
        (f"{TARGET}burst = [1]\n", "4: `burst`: must be a whole number"),
        (f"{TARGET}burst = 1.5\n", "4: `burst`: must be a whole number"),
        (f"{TARGET}burst = '30h'\n", "4: `burst`: must be at most 86400"),
        (f"{TARGET}paused = 'perhaps'\n", "4: `paused`: must be true or false"),
        (f"{TARGET}private = 7\n", "4: `private`: must be true or false"),
        (SUBSCRIPTION.replace('"phone"', "[]"), "3: `to`: must name at least 1"),
        (f"{SUBSCRIPTION}games = 1942\n", "4: `games`: must be a list"),
        (f"{SUBSCRIPTION}games = [1942]\n", "4: `games`: must be a text"),
        (f"{SUBSCRIPTION}max_minutes = 'many'\n", "4: `max_minutes`: must be a whole number"),
        ("[[follow]]\ncategories = 'Rust'\ntop = 101\n", "3: `top`: must be at most 100"),
        ("target = 5\n", "1: `target` is a block: write [[target]], and its keys below it"),
        ("follow = ['shroud']\n", "1: `follow` is a block: write [[follow]], and its keys below it"),
        ("defaults = 'none'\n", "1: `defaults` is a block: write [defaults], and its keys below it"),
        ("[target]\nname = 'phone'\n", "1: `target` is a block: write [[target]], and its keys below it"),
    ],
)
def test_a_value_of_another_kind_is_refused_in_our_own_words(text: str, expected: str) -> None:
    with pytest.raises(RulesError) as raised:
        read_rules(text, "f")
    assert str(raised.value).startswith(f"f:{expected}")


@pytest.mark.parametrize("written", ["C++", "★", "모바일", "f2p"])
def test_words_have_signs_too(written: str) -> None:
    (subscription,) = read_rules(f"{SUBSCRIPTION}block = '{written}'\n", "f").subscription
    assert subscription.block == [written]


@pytest.mark.parametrize("written", ["de", "PT-BR", "zh-hk", "other", "asl"])
def test_a_language_of_streams_is_taken_as_services_write_it(written: str) -> None:
    (subscription,) = read_rules(f"{SUBSCRIPTION}languages = '{written}'\n", "f").subscription
    assert subscription.languages == [written]


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(RulesError) as raised:
        read_rules(f"{TARGET}a = 1\n{SUBSCRIPTION}b = 2\n", "f")
    assert [line.partition(": ")[0] for line in str(raised.value).splitlines()] == ["f:4", "f:8"]


def test_the_schema_of_the_file_is_made_of_the_same_shapes() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == {"defaults", "target", "subscription", "follow"}
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (
            '[[subscriptions]]\nname = "a"\n',
            "rules.toml:1: there is no [[subscriptions]]; did you mean `subscription`?",
        ),
        ('\n[targets]\nname = "a"\n', "rules.toml:2: there is no [targets]; did you mean `target`?"),
    ],
)
def test_a_block_that_is_none_is_named_before_anything_is_taken_for_gone(text: str, mistake: str) -> None:
    with pytest.raises(RulesError) as caught:
        read_rules(text, "rules.toml")
    assert str(caught.value) == mistake
