"""The Jinja2 environment of a person's own templates: sandboxed, and ended where one runs for too long.

Imported where there are such templates, since Jinja takes a while to load.
"""

import math
import time
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models.errors import LootwireError

_IN_TIME = "lootwire_in_time"


class TimedSandbox(ImmutableSandboxedEnvironment):
    """A sandbox in which each round of a loop, and each call of a macro, raises LootwireError after a while."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._end_at = math.inf
        self.filters[_IN_TIME] = _in_time

    def give(self, seconds: float) -> None:
        """Let templates run for so many seconds of the processor from now on."""
        self._end_at = time.thread_time() + seconds

    @property
    def is_late(self) -> bool:
        """Whether that time is over; what other programs take of the machine does not count."""
        return time.thread_time() > self._end_at

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all((nodes.For, nodes.Macro)):
            look = nodes.Filter(nodes.Const(None), _IN_TIME, [], [], None, None, lineno=node.lineno)
            # In the body: a recursive loop gets what it goes through in places that no parser sees.
            getattr(node, "body").insert(0, nodes.ExprStmt(look, lineno=node.lineno))  # noqa: B009 - of both classes
        return tree


@pass_context
def _in_time(context: Context, _nothing: None) -> None:
    if isinstance(context.environment, TimedSandbox) and context.environment.is_late:
        raise LootwireError("it takes too long; is there a loop without an end?")
