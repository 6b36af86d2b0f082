"""An editor that checks a rules file by its JSON Schema takes what `apply` takes, and marks what it refuses."""

import json
import re
from typing import Any

import pytest
import tomlkit

from notifiers.rules.reading import RulesError, read_rules
from notifiers.rules.shapes import json_schema
from pipeline.runtime.settings import Settings
from tests.paths import CHECKOUT
from tests.schemas import problems

SCHEMA: dict[str, Any] = json.loads(json.dumps(json_schema(Settings.model_json_schema()["properties"])))
BOOK = (CHECKOUT / "docs" / "rules.md").read_text()
RECIPES = re.findall(r"^### (.+?)\n\n```toml\n(.+?)```", BOOK, re.DOTALL | re.MULTILINE)
TARGET = '[[target]]\nname = "phone"\nurl = "env:X"\n'
SUBSCRIPTION = '[[subscription]]\nname = "a"\nto = "phone"\n'


def marked(text: str) -> list[str]:
    return list(problems(tomlkit.parse(text).unwrap(), SCHEMA))


@pytest.mark.parametrize("recipe", [pytest.param(text, id=title) for title, text in RECIPES])
def test_a_recipe_of_the_cookbook_is_right(recipe: str) -> None:
    assert marked(recipe) == []


@pytest.mark.parametrize(
    "text",
    [
        "http_port = 8421\nlog_level = 'DEBUG'\ndata_dir = '~/loot'\n",
        f"{TARGET}quiet = '22:00-07:00'\n",
        f"{TARGET}quiet = ['9:00 - 24:00 Sat, sun', '22:00 to 07:00 mon-fri,']\n",
        f"{TARGET}quiet = [{{ begins = '22:00', ends = '7:00', days = ['mon'] }}, '23:00–08:00']\n",
        f"{TARGET}digest = 'Weekly on Friday at 18:00'\n",
        f"{TARGET}digest = 'none'\n",
        f"{TARGET}digest = 'hourly at :30'\n",
        f"{TARGET}digest = {{ every = 'hour', at = '0:30' }}\n",
        f"{TARGET}burst = '2 min'\nburst_longest = 600\nlocale = 'pt_BR'\nunsubscribe = 'mailto:stop@example.org'\n",
        f"{TARGET}urgent = 'stream.*'\n",
        f"{TARGET}urgent = ['*', '!campaign.changed', '[cs]*.added', 'campaign.*ed']\n",
        f"{TARGET}role = 'operator'\nheartbeat = 'weekly on mon'\npaused = true\nprivate = false\n",
        f"{SUBSCRIPTION}library = 'owned'\nlibrary_except = ['finished', 'abandoned']\nmy_platforms = true\n",
        f"{SUBSCRIPTION}rewards = 'badge'\nlanguages = ['de', 'pt-BR', 'other']\nmin_minutes = 0\nlinked = false\n",
        "[[follow]]\nchannels = 'shroud'\n[[follow]]\ndrops = true\n[defaults]\ntimezone = 'UTC'\nurgent = []\n",
    ],
)
def test_what_apply_takes_is_right(text: str) -> None:
    read_rules(text, "f")
    assert marked(text) == []


@pytest.mark.parametrize(
    "text",
    [
        '[[target]]\nname = "a"\n',
        f"{TARGET}tiemzone = 'UTC'\n",
        "[[targets]]\nname = 'a'\n",
        f"{TARGET}quiet = '22:00'\n",
        f"{TARGET}quiet = '22:00-27:00'\n",
        f"{TARGET}quiet = '24:00-07:00'\n",
        f"{TARGET}quiet = ['22:00-07:00 fry']\n",
        f"{TARGET}quiet = [{{ begins = '22', ends = '07:00' }}]\n",
        f"{TARGET}digest = 'monthly'\n",
        f"{TARGET}digest = 'daily at 25:00'\n",
        f"{TARGET}digest = {{ every = 'month' }}\n",
        f"{TARGET}burst = 'soon'\n",
        f"{TARGET}burst = -1\n",
        f"{TARGET}burst_longest = 86401\n",
        f"{TARGET}locale = 'English please'\n",
        f"{TARGET}urgent = ['campain.last_chance']\n",
        f"{TARGET}urgent = 'campain.*'\n",
        f"{TARGET}unsubscribe = 'stop@example.org'\n",
        f"{TARGET}role = 'oprator'\n",
        f"{TARGET}heartbeat = 'daily'\n",
        f"{TARGET}role = 'operator'\nheartbeat = 'hourly'\n",
        f"{TARGET}role = 'operator'\nheartbeat = {{ every = 'hour' }}\n",
        SUBSCRIPTION.replace('"phone"', "[]"),
        f"{SUBSCRIPTION}kinds = ['!campain.changed']\n",
        f"{SUBSCRIPTION}rewards = ['bagde']\n",
        f"{SUBSCRIPTION}languages = ['german']\n",
        f"{SUBSCRIPTION}min_minutes = -1\n",
        f"{SUBSCRIPTION}games = 1942\n",
        "[[follow]]\ntop = 5\n",
        "[[follow]]\ndrops = true\ntop = 101\n",
        "target = 5\n",
    ],
)
def test_what_apply_refuses_is_marked(text: str) -> None:
    with pytest.raises(RulesError):
        read_rules(text, "f")
    assert marked(text) != []


def test_a_setting_that_is_none_is_marked() -> None:
    assert marked("http_prot = 8421\n") == ["$: there is no http_prot"]


def test_the_schema_has_its_own_title_and_the_limits_of_json_schema() -> None:
    assert SCHEMA["title"] == "Lootwire's rules"
    whole, line, *_ = SCHEMA["$defs"]["TargetBlock"]["properties"]["burst"]["anyOf"]
    assert (whole, line["type"]) == ({"type": "integer", "minimum": 0, "maximum": 86400}, "string")
