import difflib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.roms.exports.diffs import unified

LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "one line", "another", ""]), max_size=30)


def test_a_change_is_shown_with_the_lines_around_it() -> None:
    old = "".join(f"line {number}\n" for number in range(20))

    assert unified(old.encode(), old.replace("line 9\n", "new\nlines\n").encode(), "x") == (
        "--- x\n+++ x\n@@ -7,7 +7,8 @@\n"
        " line 6\n line 7\n line 8\n-line 9\n+new\n+lines\n line 10\n line 11\n line 12\n"
    )


def test_a_new_file_is_all_new() -> None:
    assert (
        unified(None, b"a\nb", "x") == "--- /dev/null\n+++ x\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n"
    )


def test_the_same_has_no_difference() -> None:
    assert unified(b"a", b"a", "x") == ""


@given(LINES, LINES)
def test_what_is_taken_away_and_added_makes_the_one_file_of_the_other(old: list[str], new: list[str]) -> None:
    before, after = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
    shown = unified(before.encode(), after.encode(), "x").splitlines()[2:]
    # As few lines as difflib takes, or nearly.
    assert applied(before.splitlines(), shown) == after.splitlines()
    plain = [line for line in difflib.ndiff(old, new) if line[:1] in {"+", "-"}]
    assert len([line for line in shown if line[:1] in {"+", "-"}]) <= 2 * len(plain) + 4


def applied(old: list[str], diff: list[str]) -> list[str]:
    """The lines of a file after a diff, by the numbers and the lines in it."""
    result, at = [], 0
    for line in diff:
        if line.startswith("@@"):
            first, _, count = line.split()[1][1:].partition(",")
            begin = int(first) - (count != "0")
            result += old[at:begin]
            at = begin
        elif line.startswith("+"):
            result.append(line[1:])
        else:
            assert old[at] == line[1:]
            at += 1
            result += [line[1:]] if line.startswith(" ") else []
    return result + old[at:]


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no `patch` here")
def test_patch_takes_it(tmp_path: Path) -> None:
    old = "".join(f"<game>\n<path>{number}</path>\n</game>\n" for number in range(500))
    new = old.replace("<path>7</path>\n", "").replace("<path>400</path>", "<path>x</path>") + "<end/>"
    (tmp_path / "x").write_text(old)
    (tmp_path / "diff").write_text(unified(old.encode(), new.encode(), "x"))

    subprocess.run(["patch", "-s", "-i", "diff", "x"], cwd=tmp_path, check=True)

    assert (tmp_path / "x").read_text() == new
