"""What parts of paths and of queries are, as several subjects have them."""

from typing import Annotated

import msgspec

# A row's number; PostgreSQL counts no further.
Number = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
# A name or an id as somebody writes it; PostgreSQL keeps no NUL.
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
# What names a game or an organization beyond doubt is its public id, which lists give.
Name = Annotated[Word, msgspec.Meta(description="A name, or a `public_id`.")]
