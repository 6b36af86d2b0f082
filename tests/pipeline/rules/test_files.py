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
