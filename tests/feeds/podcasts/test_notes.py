"""The notes of an episode, its chapters and subtitles, and the pages: plain values, no files."""

import json
from datetime import timedelta

import msgspec
import pytest
from lxml import html

from feeds.podcasts.chapters import chapters_json
from feeds.podcasts.content import Chapter, Transcript
from feeds.podcasts.notes import clock_time, muted_line, notes_html, summary_of
from feeds.podcasts.pages import EPISODES_SHOWN, render_episode_page, render_podcast_page
from feeds.podcasts.subtitles import MOST_BYTES, SubtitlesError, converted
from tests.feeds.hostile_texts import CORPUS
from tests.feeds.podcasts.samples import NOON, episode, full_episode, podcast, private, source, with_text
from tests.paths import RECORDINGS

VTT = """WEBVTT
Kind: captions

STYLE
::cue { color: red }

00:00.500 --> 00:02.000 align:start position:0%
<v Ann>Rook &amp; <b>Rapier</b>

00:01:02.000 --> 00:01:03.000
- a --&gt; b
"""
SRT = "1\n00:00:00,500 --> 00:00:02,000\nRook & Rapier <3\n\n"


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "00:00"), (271.9, "04:31"), (3723.5, "1:02:03"), (90000, "25:00:00"), (-3, "00:00")]
)
def test_a_place_is_written_as_apps_read_it(seconds: float, written: str) -> None:
    assert clock_time(seconds) == written


def test_notes_have_the_text_the_chapters_as_time_stamps_and_what_is_muted() -> None:
    assert notes_html(full_episode()) == (
        "<p>A long evening.<br>With friends.</p>\n"
        "<p>00:00 Harbour<br>1:02:03 Open sea</p>\n"
        "<p>Muted by the service for 6 min: 06:00–12:00</p>\n"
        '<p><a href="https://www.twitch.tv/videos/42" rel="noopener noreferrer">Where it comes from</a></p>'
    )


def test_notes_of_an_episode_that_says_nothing_are_its_title() -> None:
    assert notes_html(episode(title="<Wipe> & day")) == "<p>&lt;Wipe&gt; &amp; day</p>"
    assert summary_of(episode()) == "Wipe day"


def test_many_muted_parts_are_counted() -> None:
    parts = tuple((60.0 * number, 10.0) for number in range(40))
    assert muted_line(episode(muted=parts)).endswith("28:00–28:10, 29:00–29:10, and 10 more")
    assert muted_line(episode()) == ""


def test_chapters_are_a_file_as_podcasting_2_has_it() -> None:
    assert json.loads(chapters_json(full_episode(), podcast())) == {
        "version": "1.2.0",
        "title": "Wipe day",
        "podcastName": "Captain Brine, last night",
        "fileName": "00000000-0000-4000-8000-000000000001-abcdef01.mp3",
        "chapters": [
            {"startTime": 0, "title": "Harbour", "img": "https://example.com/h.jpg", "url": "https://example.com/h"},
            {"startTime": 3723.5, "title": "Open sea"},
        ],
    }


@pytest.mark.recordings
def test_our_chapters_have_no_key_that_the_examples_of_the_specification_lack() -> None:
    example = json.loads((RECORDINGS / "sound/podcast_namespace/chapters-exampleComplex.json").read_text())
    ours = json.loads(chapters_json(full_episode(), podcast()))
    assert ours["version"] == example["version"]
    assert {key for part in ours["chapters"] for key in part} <= {key for part in example["chapters"] for key in part}


def test_subtitles_go_from_one_format_into_the_other_without_their_looks() -> None:
    srt = converted(VTT.encode(), "vtt", "srt").decode()
    assert srt == ("1\n00:00:00,500 --> 00:00:02,000\nRook & Rapier\n\n2\n00:01:02,000 --> 00:01:03,000\n- a --> b\n")
    vtt = converted(SRT.encode(), "srt", "vtt").decode()
    assert vtt.startswith("WEBVTT\n\n00:00:00.500 --> 00:00:02.000\nRook &amp; Rapier &lt;3")


def test_subtitles_that_have_the_format_stay_as_they_are_but_for_their_mark() -> None:
    assert converted(b"\xef\xbb\xbf" + VTT.encode(), "vtt", "vtt") == VTT.encode()


@pytest.mark.parametrize("data", [b"<html>", b"\xff\xfe", b"", b"WEBVTT" + b" " * MOST_BYTES])
def test_what_are_no_subtitles_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(SubtitlesError):
        converted(data, "vtt", "srt")


@pytest.mark.recordings
@pytest.mark.parametrize("ending", ["srt", "vtt"])
def test_the_recorded_transcripts_are_read(ending: str) -> None:
    data = (RECORDINGS / f"sound/podcast_namespace/transcripts-example.{ending}").read_bytes()
    for wanted in ("srt", "vtt"):
        assert b"-->" in converted(data, ending, wanted)  # type: ignore[arg-type]


def test_a_page_plays_its_sound_and_leads_to_each_chapter() -> None:
    tree = html.document_fromstring(render_episode_page(podcast(), full_episode()))

    [file] = tree.xpath("//audio/source/@src")
    assert file == "00000000-0000-4000-8000-000000000001-abcdef01.mp3"
    assert tree.xpath("//ol[@class='chapters']//a/@href") == [f"{file}#t=0", "https://example.com/h", f"{file}#t=3723"]
    assert tree.xpath("//a[text()='Captain Brine, last night']/@href") == ["../captain-brine-1a2b3c4d.html"]
    assert "media-src 'self'" in tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert tree.xpath("//body/@data-root") == ["../../"]
    assert len(tree.xpath("//a[starts-with(text(), 'Transcript')]/@href")) == 2


def test_the_page_of_a_show_has_its_feed_and_its_episodes() -> None:
    tree = html.document_fromstring(render_podcast_page(podcast(full_episode())))

    assert tree.xpath("//link[@rel='alternate']/@href") == ["../shows/captain-brine-1a2b3c4d.rss.xml"]
    assert tree.xpath("//table//a/@href") == ["captain-brine-1a2b3c4d/00000000-0000-4000-8000-000000000001.html"]
    assert tree.xpath("//meta[@name='robots']") == []


def test_pages_of_a_private_show_lie_side_by_side_and_are_not_to_be_found() -> None:
    of = private(full_episode())
    show = html.document_fromstring(render_podcast_page(of))
    sound = html.document_fromstring(render_episode_page(of, of.episodes[0]))

    assert show.xpath("//table//a/@href") == ["00000000-0000-4000-8000-000000000001.html"]
    assert sound.xpath("//p/a[text()='Captain Brine, last night']/@href") == ["show.html"]
    assert [tree.xpath("//meta[@name='robots']/@content") for tree in (show, sound)] == [["noindex"]] * 2


def test_a_page_of_many_episodes_says_how_many_more_the_feed_has() -> None:
    episodes = [episode(number, published_at=NOON - timedelta(days=number)) for number in range(EPISODES_SHOWN + 7)]
    page = render_podcast_page(podcast(*episodes)).decode()
    assert "The feed has 7 more." in page
    assert page.count('class="item-row"') == EPISODES_SHOWN


@pytest.mark.parametrize("part", range(5))
def test_hostile_texts_harm_no_page_and_no_file_of_chapters(part: int) -> None:
    for text in CORPUS[part::5]:
        of = with_text(text)
        pages = [render_podcast_page(of), *(render_episode_page(of, each) for each in of.episodes)]
        for page in pages:
            tree = html.document_fromstring(page)
            assert tree.xpath("//script/@src") == ["../page.js" if b'data-root="../"' in page else "../../page.js"], (
                text
            )
            assert tree.xpath("//@onload|//@onerror|//@onclick|//@style|//iframe|//svg//*[@onload]") == [], text
            assert not [href for href in tree.xpath("//@href") if href.lower().startswith(("javascript", "data"))], text
        read = json.loads(chapters_json(of.episodes[0], of))
        assert len(read["chapters"]) == 2


def test_a_language_that_a_service_names_is_no_way_out_of_the_folder() -> None:
    transcript = Transcript(language="en", format="vtt", source=source())
    heard = msgspec.structs.replace(episode(), transcripts=(transcript,), chapters=(Chapter(start=0, title="x"),))
    assert heard.transcript_files == (("en", "srt"), ("en", "vtt"))
    assert "/" not in heard.file + heard.page + heard.chapters_file + heard.transcript_file("en", "srt")
