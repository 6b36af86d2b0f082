"""The options that `shows add` and `shows change` share, and what a person says of a show by them."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from msgspec import UNSET

from models.errors import UsageError
from pipeline.cli.sounds import ProfileName
from pipeline.operations.shows import ShowFields
from pipeline.sound.records import Keep
from pipeline.sound.store.shows import VIDEO_KINDS, read_keep

_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, kw_only=True)
class ShowOptions:
    """What of a show was written on the command line; None for what nothing was said of."""

    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help=f"Which videos: {', '.join(VIDEO_KINDS)}; archive by default, may be repeated."),
    ] = None
    title_has: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only those with this in the title; '' for all.")
    ] = None
    longer_than: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only longer ones: 90s, 10m, 2h; 0s for all.")
    ] = None
    category: Annotated[
        str | None, typer.Option(metavar="GAME", help="Only those in which this category was on; '' for all.")
    ] = None
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="AMOUNT", help="20 episodes, 30d or 5GB, also 20,30d; '' keeps everything."),
    ] = None
    profile: ProfileName = None
    public: Annotated[
        bool | None,
        typer.Option("--public/--private", help="Whether everybody may find it; else only who has its address."),
    ] = None
    explicit: Annotated[bool | None, typer.Option("--explicit/--clean", help="What its feed says of its language.")] = (
        None
    )
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="What apps call it.")] = None
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is about.")] = None
    author: Annotated[str | None, typer.Option(metavar="NAME", help="Who made it; the channel by default.")] = None
    language: Annotated[str | None, typer.Option(metavar="CODE", help="Such as en or pt-BR.")] = None
    genre: Annotated[str | None, typer.Option(metavar="CATEGORY", help="Of Apple's list; Leisure by default.")] = None
    cover: Annotated[Path | None, typer.Option(metavar="FILE", help="A picture of your own for it.")] = None

    def read(self) -> ShowFields:
        """Return what was said as the operations on shows take it; raises `UsageError` where something is none."""
        if self.kind is not None and (unknown := [kind for kind in self.kind if kind not in VIDEO_KINDS]):
            raise UsageError(f"{unknown[0]!r} is no kind of video; there are {', '.join(VIDEO_KINDS)}")
        kept: dict[str, Any] = {}
        if self.keep is not None:
            keep = read_keep(self.keep) if self.keep else Keep()
            kept = {"keep_count": keep.count, "keep_days": keep.days, "keep_mb": keep.mb}
        values: dict[str, Any] = {
            "kinds": self.kind,
            "title_has": self.title_has,
            "longer_than": None if self.longer_than is None else _seconds(self.longer_than),
            "game": self.category,
            "profile": self.profile,
            "is_public": self.public,
            "is_explicit": self.explicit,
            "title": self.title,
            "description": self.description,
            "author": self.author,
            "language": self.language,
            "category": self.genre,
        }
        return ShowFields(**{name: UNSET if value is None else value for name, value in values.items()}, **kept)


def with_show_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Return a command that has all of `ShowOptions` on its command line in place of its parameter `options`."""
    hints = get_type_hints(command, include_extras=True)
    of_options = get_type_hints(ShowOptions, include_extras=True)
    shared = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default)
        for field in fields(ShowOptions)
    ]
    own = inspect.signature(command).parameters
    parameters = []
    for name, parameter in own.items():
        parameters += shared if name == "options" else [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)]

    @functools.wraps(command)
    def with_options(**given: Any) -> Any:
        options = ShowOptions(**{field.name: given.pop(field.name) for field in fields(ShowOptions)})
        return command(**given, options=options)

    annotations = {name: (hints | of_options)[name] for name in (parameter.name for parameter in parameters)}
    with_options.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # functions may have one
        [parameter.replace(annotation=annotations[parameter.name]) for parameter in parameters]
    )
    with_options.__annotations__ = annotations
    # Typer reads the types of what is wrapped.
    del with_options.__wrapped__
    return with_options


def _seconds(text: str) -> int:
    number, unit = text.strip()[:-1], text.strip()[-1:].lower()
    if unit not in _UNITS or not number.isascii() or not number.isdigit() or len(number) > 6:
        raise UsageError(f"{text!r} is no length: write 90s, 10m or 2h")
    return int(number) * _UNITS[unit]
