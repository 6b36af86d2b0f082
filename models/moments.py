"""Times as answers hold them: always with a zone, and in JSON as RFC 3339 in UTC."""

from datetime import datetime
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
