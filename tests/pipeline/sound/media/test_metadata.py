"""Tags and chapters are written so that no text breaks out of its line."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sound.media.metadata import Tags, metadata_of
from pipeline.sound.records import Chapter

TEXTS = st.text(st.characters() | st.sampled_from("=;#\\\n\r\0\u2028\u202e[]"), max_size=60)


def test_chapters_end_where_the_next_begins_and_none_begins_after_the_end() -> None:
    chapters = [Chapter(start=60, title="Two"), Chapter(start=0, title="One"), Chapter(start=700, title="Late")]

    text = metadata_of(Tags(title="Night"), chapters, 600.0)

    assert text.splitlines() == [
        ";FFMETADATA1",
        "title=Night",
        *("[CHAPTER]", "TIMEBASE=1/1000", "START=0", "END=60000", "title=One"),
        *("[CHAPTER]", "TIMEBASE=1/1000", "START=60000", "END=600000", "title=Two"),
    ]


def test_no_tags_and_no_chapters_are_a_head_alone() -> None:
    assert metadata_of(None, (), 5) == ";FFMETADATA1\n"


def test_a_comment_keeps_its_lines_and_a_title_has_one() -> None:
    text = metadata_of(Tags(title="a\nb", comment="a\nb"), (), 5)

    assert text == ";FFMETADATA1\ntitle=a b\ncomment=a\\\nb\n"


@given(title=TEXTS, comment=TEXTS, chapter=TEXTS)
def test_whatever_a_text_says_there_is_one_chapter_and_no_key_of_its_own(
    title: str, comment: str, chapter: str
) -> None:
    text = metadata_of(Tags(title=title, comment=comment), [Chapter(start=0, title=chapter)], 5)

    unescaped = text.replace("\\\\", "").replace("\\\n", "")
    lines = unescaped.splitlines() if "\r" not in unescaped else unescaped.split("\n")
    assert [line for line in lines if line.startswith("[")] == ["[CHAPTER]"]
    assert {line.partition("=")[0] for line in lines[1:]} <= {
        "title", "comment", "[CHAPTER]", "TIMEBASE", "START", "END"
    }  # fmt: skip
    assert "\0" not in text
