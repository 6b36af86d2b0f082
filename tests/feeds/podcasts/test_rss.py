"""The feed of a podcast, as validators, directories and parsers read it."""

import shutil
import subprocess
from pathlib import Path

import feedparser
import msgspec
import pytest
from lxml import etree

from feeds.podcasts.content import Podcast
from feeds.podcasts.rss import CHAPTERS, ITUNES, OWNER, PODCAST, render_podcast
from tests.feeds.hostile_texts import CORPUS
from tests.feeds.podcasts.rules import faults_of_podcast
from tests.feeds.podcasts.samples import BASE, NOON, episode, full_episode, podcast, private, source, with_text
from tests.paths import RECORDINGS

NAMES = {"itunes": ITUNES, "podcast": PODCAST, "psc": CHAPTERS}
# The schema of the podcast namespace has none of its own; around it RSS may hold what it likes.
WRAPPER = """<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="https://podcastindex.org/namespace/1.0"
  elementFormDefault="qualified"><xs:include schemaLocation="{schema}"/></xs:schema>
"""
OUTER = """<?xml version="1.0"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:import namespace="https://podcastindex.org/namespace/1.0" schemaLocation="wrapper.xsd"/>
<xs:complexType name="any" mixed="true">
<xs:sequence><xs:any minOccurs="0" maxOccurs="unbounded" processContents="lax" namespace="##any"/></xs:sequence>
<xs:anyAttribute processContents="lax"/></xs:complexType>
<xs:element name="rss" type="any"/><xs:element name="channel" type="any"/><xs:element name="item" type="any"/>
</xs:schema>
"""


def read(of: Podcast) -> etree._Element:
    return etree.fromstring(render_podcast(of, BASE))


def faults(of: Podcast) -> list[str]:
    return faults_of_podcast(render_podcast(of, BASE), f"{BASE}/{of.path}.rss.xml")


def values(tree: etree._Element, path: str) -> list[str]:
    return [str(each) for each in tree.xpath(path, namespaces=NAMES)]


@pytest.mark.parametrize(
    "of",
    [
        podcast(),
        podcast(full_episode(1), episode(2, ending="m4a")),
        private(full_episode()),
        podcast(full_episode(), scope="playlist", is_serial=True, hubs=("https://hub.example/",)),
    ],
)
def test_no_feed_has_a_fault_for_a_directory_or_a_validator(of: Podcast) -> None:
    assert faults(of) == []


def test_an_episode_leads_to_its_file_with_its_length_and_type() -> None:
    tree = read(podcast(episode(ending="m4a", enclosure=source("x/y.m4a", "feedbeef00000000"))))

    [enclosure] = tree.iter("enclosure")
    assert dict(enclosure.attrib) == {
        "url": f"{BASE}/shows/captain-brine-1a2b3c4d/00000000-0000-4000-8000-000000000001-feedbeef.m4a",
        "length": "1234567",
        "type": "audio/x-m4a",
    }
    assert values(tree, "//itunes:duration/text()") == ["3725"]


@pytest.mark.parametrize("is_explicit", [True, False])
def test_explicit_is_true_or_false_as_apple_wants_it(is_explicit: bool) -> None:
    tree = read(podcast(episode(), is_explicit=is_explicit))
    assert values(tree, "//itunes:explicit/text()") == [str(is_explicit).lower()] * 2


def test_a_private_podcast_asks_directories_to_leave_it_out_and_a_public_one_does_not() -> None:
    assert values(read(private(episode())), "//itunes:block/text()|//podcast:block/text()") == ["Yes", "yes"]
    assert values(read(podcast(episode())), "//itunes:block|//podcast:block") == []
    assert values(read(podcast()), "//podcast:locked/@owner") == [OWNER]


def test_hubs_stand_in_the_feed() -> None:
    tree = read(podcast(hubs=("https://hub.example/",)))
    assert values(tree, "//*[local-name()='link'][@rel='hub']/@href") == ["https://hub.example/"]


def test_its_guid_stays_wherever_it_lies_and_what_it_is_called() -> None:
    [guid] = values(read(podcast()), "//podcast:guid/text()")
    moved = msgspec.structs.replace(private(), title="Another", version=9)
    assert values(read(moved), "//podcast:guid/text()") == [guid]
    assert values(read(podcast(identity="lootwire/show/2")), "//podcast:guid/text()") != [guid]


def test_an_episode_keeps_its_guid_when_its_bytes_and_title_change() -> None:
    before = values(read(podcast(episode())), "//item/guid/text()")
    again = episode(title="Else", enclosure=source(digest="ffffffff00000000"))
    assert values(read(podcast(again)), "//item/guid/text()") == before


def test_chapters_stand_in_the_feed_as_podlove_has_them_and_lead_to_the_file() -> None:
    tree = read(podcast(full_episode()))
    assert values(tree, "//psc:chapter/@start") == ["00:00:00.000", "01:02:03.500"]
    assert values(tree, "//psc:chapter/@title") == ["Harbour", "Open sea"]
    assert values(tree, "//psc:chapter/@href") == ["https://example.com/h"]
    assert values(tree, "//podcast:chapters/@type") == ["application/json+chapters"]
    assert values(read(podcast(episode())), "//psc:chapters|//podcast:chapters") == []


def test_transcripts_are_offered_in_both_formats() -> None:
    tree = read(podcast(full_episode()))
    assert values(tree, "//podcast:transcript/@type") == ["application/x-subrip", "text/vtt"]
    assert {name.rpartition(".")[2] for name in values(tree, "//podcast:transcript/@url")} == {"srt", "vtt"}


@pytest.mark.parametrize(
    ("language", "of_episodes", "written"),
    [("de", ["en"], "de"), (None, ["en", "pt_BR", "pt-BR"], "pt-br"), ("und", [None], "en"), ("<x>", ["?"], "en")],
)
def test_the_language_is_its_own_or_that_of_most_episodes(
    language: str | None, of_episodes: list[str | None], written: str
) -> None:
    spoken = [episode(number, language=each) for number, each in enumerate(of_episodes)]
    assert values(read(podcast(*spoken, language=language)), "//language/text()") == [written]


def test_a_playlist_is_to_be_heard_in_its_order() -> None:
    tree = read(podcast(episode(1), episode(2), scope="playlist", is_serial=True))
    assert values(tree, "//itunes:type/text()") == ["serial"]
    assert values(tree, "//itunes:episode/text()") == ["1", "2"]


def test_a_category_below_another_stands_in_it() -> None:
    tree = read(podcast(category="Leisure > Video Games"))
    assert values(tree, "//channel/itunes:category/@text") == ["Leisure"]
    assert values(tree, "//channel/itunes:category/itunes:category/@text") == ["Video Games"]


def test_a_long_description_keeps_to_what_apple_takes() -> None:
    assert faults(podcast(description="é" * 9000)) == []


def test_feedparser_reads_what_was_written() -> None:
    parsed = feedparser.parse(render_podcast(podcast(full_episode()), BASE))

    assert not parsed.bozo
    [entry] = parsed.entries
    assert entry.title == "Wipe day"
    assert (entry.enclosures[0].length, entry.enclosures[0].type) == ("1234567", "audio/mpeg")
    assert entry.itunes_duration == "3725"
    assert parsed.feed.image.href.endswith("/artwork-lootwire.jpg")
    assert entry.published_parsed[:5] == NOON.timetuple()[:5]
    assert "1:02:03 Open sea" in entry.content[0].value
    assert [part.title for part in entry.psc_chapters.chapters] == ["Harbour", "Open sea"]


# With the piece before each they are five times the corpus: a thousand.
HOSTILE = [text + after for text in CORPUS for after in ("", "<", "&", '"', "]]>")]


@pytest.mark.parametrize("part", range(10))
def test_a_thousand_hostile_texts_harm_no_feed(part: int) -> None:
    assert len(HOSTILE) == 1000
    for text in HOSTILE[part::10]:
        of = with_text(text)
        assert faults(of) == [], text
        tree = read(of)
        assert len(values(tree, "//item")) == 2, text
        assert "javascript:" not in "".join(values(tree, "//@href|//@url|//@image"))


@pytest.mark.recordings
@pytest.mark.skipif(shutil.which("xmllint") is None, reason="xmllint is not installed")
@pytest.mark.parametrize("of", [podcast(full_episode(), episode(2)), private(full_episode()), with_text("<&\">'")])
def test_xmllint_finds_the_podcast_elements_as_their_schema_has_them(of: Podcast, tmp_path: Path) -> None:
    schema = RECORDINGS / "sound/podcast_namespace/schema-podcast.xsd"
    (tmp_path / "wrapper.xsd").write_text(WRAPPER.format(schema=schema))
    (tmp_path / "outer.xsd").write_text(OUTER)
    (tmp_path / "feed.xml").write_bytes(render_podcast(of, BASE))

    command = ["xmllint", "--nonet", "--noout", "--schema", str(tmp_path / "outer.xsd"), str(tmp_path / "feed.xml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr.splitlines()[-1:]) == (0, [f"{tmp_path / 'feed.xml'} validates"])
