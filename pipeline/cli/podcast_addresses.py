"""Prints where a show's or a playlist's podcast is, as `shows` and `playlists` do."""

from pipeline.operations.podcasts import ENDINGS, PodcastAddresses
from pipeline.runtime.output import console, show


def print_addresses(addresses: PodcastAddresses, *, is_public: bool) -> None:
    """Print a podcast's addresses, with a warning where they are secrets."""
    for name in ENDINGS:
        console.print(f"{name:>6}  {show(getattr(addresses, name))}", markup=False, soft_wrap=True)
    if not is_public:
        hint = "Whoever has these addresses can hear it; `lootwire feeds rotate NAME` gives it others."
        console.print(hint, markup=False, soft_wrap=True)
