from datetime import timedelta
from typing import Any

import nh3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.content import Item
from feeds.item import render_entry
from models.details import (
    BenefitLine,
    CampaignDetail,
    CategoryTime,
    DropLine,
    EventDetail,
    FieldChange,
    ReleaseDetail,
    SeenBefore,
    SourceDetail,
    StreamDetail,
    StreamRecap,
    detail_type,
)
from models.events import EventKind
from models.words import kind_label
from tests.examples import examples
from tests.feeds.hostile_texts import PIECES
from tests.feeds.world import NOON

TAGS = {"a", "b", "blockquote", "br", "code", "em", "h3", "h4", "i", "img", "li", "ol", "p", "s", "strong", "u", "ul"}
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "width", "height"}}
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(
    st.characters(exclude_categories=()), max_size=12
)


def some(strategy: Any) -> Any:
    return st.none() | strategy


DROPS = st.lists(
    st.builds(
        DropLine,
        name=some(TEXTS),
        required_minutes=some(st.integers(0, 999)),
        required_subs=some(st.integers(0, 3)),
        benefits=st.lists(st.builds(BenefitLine, name=some(TEXTS), image_url=some(TEXTS)), max_size=2).map(tuple),
    ),
    max_size=2,
).map(tuple)
NAMES = st.lists(TEXTS, max_size=3).map(tuple)
CHANGES = st.lists(
    st.builds(FieldChange, field=TEXTS, old=some(TEXTS), new=some(TEXTS), about=some(TEXTS)), max_size=2
).map(tuple)
SHARED = {name: some(TEXTS) for name in ("name", "url", "box_art_url", "game", "description")}
TIMES = some(st.sampled_from([NOON, NOON + timedelta(days=3)]))
DETAILS: st.SearchStrategy[EventDetail] = st.one_of(
    st.builds(
        CampaignDetail,
        **SHARED,
        **{name: some(TEXTS) for name in ("account_link_url", "image_url", "organization", "channel")},
        start_at=TIMES,
        end_at=TIMES,
        drops_end_at=TIMES,
        required_minutes=some(st.integers(0, 99)),
        drops=DROPS,
        drops_added=DROPS,
        drops_ending=DROPS,
        channels=NAMES,
        channels_added=NAMES,
        channels_removed=NAMES,
        channels_total=st.integers(0, 99),
        changes=CHANGES,
        late=st.booleans(),
        seen_before=st.lists(st.builds(SeenBefore, benefit=TEXTS, campaign=TEXTS, until=TIMES), max_size=2).map(tuple),
    ),
    st.builds(
        StreamDetail,
        **SHARED,
        **{name: some(TEXTS) for name in ("image_url", "channel", "channel_login", "language", "type")},
        tags=NAMES,
        campaigns=NAMES,
        changes=CHANGES,
        recap=some(
            st.builds(
                StreamRecap,
                started_at=st.just(NOON),
                ended_at=st.just(NOON),
                seconds=st.just(60),
                categories=st.lists(st.builds(CategoryTime, name=some(TEXTS), seconds=st.just(9)), max_size=2).map(
                    tuple
                ),
            )
        ),
    ),
    st.builds(ReleaseDetail, **SHARED, platforms=NAMES, when=some(TEXTS), stage=some(TEXTS), reason=some(TEXTS)),
    st.builds(SourceDetail, **SHARED, reason=some(TEXTS)),
)
KINDS_OF = {
    family: [kind.value for kind in EventKind if kind.family == family]
    for family in {kind.family for kind in EventKind}
}


@st.composite
def items(draw: st.DrawFn) -> Item:
    detail = draw(DETAILS)
    kinds = [kind for family in type(detail).families for kind in KINDS_OF[family]]
    kind = draw(st.sampled_from(kinds) | TEXTS)
    return Item(
        event_key=draw(TEXTS),
        kind=kind,
        occurred_at=NOON,
        title=draw(TEXTS),
        service=draw(st.sampled_from(["twitch", "kick", "chzzk"]) | some(TEXTS)),
        detail=detail,
    )


@settings(max_examples=examples(400), deadline=None)
@given(item=items(), page=some(TEXTS))
def test_the_html_of_an_item_is_harmless_and_as_a_browser_would_write_it_whatever_the_event_says(
    item: Item, page: str | None
) -> None:
    html = render_entry(item, page).content

    cleaned = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https"}, link_rel="noopener noreferrer"
    )
    assert html == cleaned


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_shows_at_least_what_it_is(kind: EventKind) -> None:
    item = Item(event_key="x", kind=kind, occurred_at=NOON, title="", detail=detail_type(kind)())

    assert f"<b>{kind_label(kind)}</b>" in render_entry(item).content
