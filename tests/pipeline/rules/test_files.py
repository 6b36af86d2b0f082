"""Files of rules, as they are read from the disk."""

from pathlib import Path

import pytest

from notifiers.rules.reading import RulesError
from pipeline.rules.files import read_rules_file

PHONE = '[[target]]\nname = "phone"\nurl = "json://127.0.0.1:9/x"\n'


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("http_prot = 8421", "`http_prot` stands in no block; there is no such setting, did you mean `http_port`?"),
        ("colours = ['red']", "`colours` stands in no block; there is no such setting"),
        ("locale = 'de'", "`locale` stands in no block; write it below [defaults] or [[target]]"),
        ("games = ['Rust']", "`games` stands in no block; write it below [[subscription]] or [[follow]]"),
    ],
)
def test_a_key_before_the_first_block_that_is_no_setting_is_a_mistake(tmp_path: Path, line: str, mistake: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"# mine\n{line}\n{PHONE}")
    with pytest.raises(RulesError) as raised:
        read_rules_file(path)
    assert str(raised.value) == f"{path}:2: {mistake}"
    path.write_text(f"http_port = 8421\n{PHONE}")
    assert read_rules_file(path).mistakes == ()


def test_a_block_with_one_mistake_is_looked_at_for_others(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[defaults]\nlocale = "xx"\n\n[[target]]\nname = "phone"\nurl = "env:GONE"\ntimezone = "Mars"\n'
        'urgent = "campain.*"\ntypo = 1\n\n[[target]]\nname = "phone"\nurl = 5\n\n[[follow]]\nchanels = "shroud"\n'
    )
    with pytest.raises(RulesError) as raised:
        read_rules_file(path, {})
    assert [line.removeprefix(f"{path}:")[:26] for line in str(raised.value).splitlines()] == [
        "2: `locale`: must be a lan",
        "6: `url`: the variable GON",
        "7: `timezone`: There is no",
        "8: `urgent`: Unknown kind ",
        "9: there is no `typo`",
        "13: `url`: must be a text",
        "16: there is no `chanels`;",
    ]


def test_a_zone_that_is_none_is_named_once_where_the_defaults_say_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    other = PHONE.replace('"phone"', '"tablet"')
    path.write_text(f'[defaults]\nlocale = "de"\ntimezone = "Mars"\n\n{PHONE}\n{other}')
    with pytest.raises(RulesError) as raised:
        read_rules_file(path)
    assert [line.removeprefix(f"{path}:")[:26] for line in str(raised.value).splitlines()] == [
        "3: `timezone`: There is no"
    ]
