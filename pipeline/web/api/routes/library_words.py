"""Parts of paths and bodies that the routes of libraries, journals, lists and ROMs share."""

from typing import Annotated

import msgspec

Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Place = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1, description="1 is the first.")]
Year = Annotated[int, msgspec.Meta(ge=1950, le=2100)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
# A work's number, or what a person calls the game.
GameNamed = Annotated[
    Number | Name, msgspec.Meta(description="A work's number, or a title, or IGDB's number as igdb:1942.")
]
Notes = Annotated[str, msgspec.Meta(max_length=20_000)]
