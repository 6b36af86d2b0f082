"""Where a show's or a playlist's podcast is, which `shows` and `playlists` print."""

from datetime import datetime

from feeds.podcasts.standing import Kind, ensure_podcast
from feeds.take_in import TURN
from models.locks import hold
from pipeline.runtime.output import console, show
from pipeline.runtime.runtime import Runtime

ENDINGS = {"rss": ".rss.xml", "page": ".html"}


def podcast_addresses(runtime: Runtime, kind: Kind, row_id: int, now: datetime) -> dict[str, str]:
    """Return the addresses of a podcast and of its page; a private one's name is made where it has none yet.

    The files are there after the next publish, within seconds where Lootwire runs.
    """
    with hold(runtime.engine, TURN), runtime.engine.begin() as connection:
        path = ensure_podcast(connection, lambda: runtime.vault, kind, row_id, now)
    base = runtime.settings.public_url
    return {name: f"{base}/{path}{ending}" for name, ending in ENDINGS.items()}


def print_addresses(addresses: dict[str, str], *, is_public: bool) -> None:
    """Print a podcast's addresses, with a warning where they are secrets."""
    for name, address in addresses.items():
        console.print(f"{name:>6}  {show(address)}", markup=False, soft_wrap=True)
    if not is_public:
        hint = "Whoever has these addresses can hear it; `lootwire feeds rotate NAME` gives it others."
        console.print(hint, markup=False, soft_wrap=True)
