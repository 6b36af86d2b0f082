"""All names of the recordings, where they are at hand: ../shared/recordings beside the project."""

import csv
import re
from pathlib import Path

import pytest

from models.names import name_key
from pipeline.roms.names.parsing import parse_name
from tests.paths import RECORDINGS

ROMS = RECORDINGS / "roms"
pytestmark = [
    pytest.mark.recordings,
    pytest.mark.skipif(not ROMS.is_dir(), reason=f"there are no recordings in {ROMS}"),
]
TABLES = sorted(ROMS.glob("*.csv"))
_EXODOS = re.compile(r"([^()]*) \((\d{4})\)")


def names_of(table: Path) -> list[str]:
    with table.open(encoding="utf-8") as rows:
        listed = list(csv.DictReader(rows))
    names = [row.get("game_name") or row["name"] for row in listed]
    return names + [Path(row["rom_file_names"]).stem for row in listed if row.get("rom_file_names")]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_each_name_has_a_title_and_no_bracket_of_a_region_is_left_in_it(table: Path) -> None:
    for written in names_of(table):
        name = parse_name(written, this_year=2026)
        assert name.title, written
        assert not re.search(r"\((USA|Europe|Japan|World|Disc \d+|Disk \d+|Rev \d+|19\d\d|20\d\d)\)", name.title), (
            written
        )


def test_the_titles_of_exodos_keep_title_and_year() -> None:
    lines = (ROMS / "exodos" / "eXoDOSv6.csv").read_text(encoding="utf-8-sig").splitlines()
    for line in lines:
        written = line.split(";")[0]
        name = parse_name(written, this_year=2026)
        plain = _EXODOS.fullmatch(written)
        if plain is None:
            # A maker or an edition in brackets of its own, or a decade for the year.
            assert written.startswith(name.title.removeprefix("The ")), written
            assert name.year is not None or re.search(r"\(\d{3}x\)", written), written
        else:
            # An article may stand elsewhere, no letter is lost.
            assert sorted(name_key(name.title)) == sorted(name_key(plain[1])), written
            assert name.year == int(plain[2]), written
    assert len(lines) >= 7_633
