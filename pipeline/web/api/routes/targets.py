"""`/targets`: where a person's messages go."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from models.moments import Moment
from notifiers.timing.settings import Role
from pipeline.operations import deliveries, subscriptions, targets
from pipeline.operations.deliveries import InboxAnswer, WhyNotAnswer
from pipeline.operations.subscriptions import RehearsedAnswer
from pipeline.operations.target_settings import SettingsChange, read_change
from pipeline.operations.targets import TargetAnswer, TrialAnswer
from pipeline.web.api.calls import Changing, Reading, Working
from pipeline.web.api.paging import Page, PageQuery, page_of
from pipeline.web.api.routing import Routes

routes = Routes("targets")
Name = Annotated[str, msgspec.Meta(description="1 to 60 letters, digits, spaces, dots, hyphens, underscores.")]
Url = Annotated[str, msgspec.Meta(description="An Apprise URL, kept encrypted and never answered.")]
Timezone = Annotated[str, msgspec.Meta(description="As the IANA database has it: Europe/Berlin.")]
Game = Annotated[str, msgspec.Meta(min_length=1, description="Of this game alone, by its name.")]
EventNumber = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class NewTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A target to add. A `role` is for the owner's targets."""

    name: Name
    url: Url
    timezone: Timezone = "UTC"
    role: Role | None = None
    settings: SettingsChange = SettingsChange()


class TargetChange(msgspec.Struct, frozen=True, kw_only=True):
    """What changes of a target; what is not given stays. A `role` that is null is ended."""

    name: Name | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    role: Role | UnsetType | None = UNSET
    settings: SettingsChange = SettingsChange()


class NewMute(msgspec.Struct, frozen=True, kw_only=True):
    """A mute of a target: of one game, or of everything."""

    until: Moment
    game: Game | None = None


class EndedMute(msgspec.Struct, frozen=True, kw_only=True):
    """A mute that ends: that of one game, or that of everything."""

    game: Game | None = None


class WhyNotQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which event is asked for."""

    event: EventNumber


class TryQuery(PageQuery, frozen=True, kw_only=True):
    """Of which events it is tried: of those since a time, 30 days if none is given."""

    since: Moment | None = None


@routes.add("GET", "/targets", scope="targets")
def list_targets(call: Reading, query: PageQuery) -> Page[TargetAnswer]:
    """List your targets by name."""
    return page_of(targets.list_targets(call.connection, call.person_id, call.now), query, lambda each: each.name)


@routes.add("POST", "/targets", scope="targets", status=201)
def add_target(call: Changing, body: NewTarget) -> TargetAnswer:
    """Add a target by its Apprise URL.

    The address is kept encrypted, and no answer has it.
    """
    return targets.add_target(
        call.connection,
        call.person_id,
        call.now,
        call.runtime.vault,
        name=body.name,
        url=body.url,
        timezone=body.timezone,
        role=body.role,
        settings=read_change(body.settings),
        by_owner=call.is_owner,
    )


@routes.add("GET", "/targets/{target}", scope="targets")
def show_target(call: Reading, target: str) -> TargetAnswer:
    """Show one target."""
    return targets.show_target(call.connection, call.person_id, call.now, target)


@routes.add("PATCH", "/targets/{target}", scope="targets")
def change_target(call: Changing, target: str, body: TargetChange) -> TargetAnswer:
    """Change a target: its name, address, time zone, role or settings.

    Its subscriptions stay, and what waits for it goes to where it is then.
    """
    return targets.change_target(
        call.connection,
        call.person_id,
        call.now,
        target,
        new_name=None if body.name is UNSET else body.name,
        address=targets.read_address(call.runtime.vault, body.url) if body.url is not UNSET else None,
        timezone=None if body.timezone is UNSET else body.timezone,
        role=None if body.role is UNSET else body.role or "none",
        settings=read_change(body.settings),
        by_owner=call.is_owner,
    )


@routes.add("DELETE", "/targets/{target}", scope="targets")
def remove_target(call: Changing, target: str) -> None:
    """Remove a target with its address and its subscriptions.

    What waits for it is not sent; what was sent stays on record.
    """
    targets.remove_target(call.connection, call.person_id, call.now, target)


@routes.add("POST", "/targets/{target}/pause", scope="targets")
def pause_target(call: Changing, target: str) -> TargetAnswer:
    """Send a target nothing until it is resumed.

    Of what happens meanwhile it is never told.
    """
    return targets.pause_target(call.connection, call.person_id, call.now, target)


@routes.add("POST", "/targets/{target}/resume", scope="targets")
def resume_target(call: Changing, target: str) -> TargetAnswer:
    """Send to a paused target again.

    What waited when it was paused is sent, and what happens from now on.
    """
    return targets.resume_target(call.connection, call.person_id, call.now, target)


@routes.add("POST", "/targets/{target}/mute", scope="targets")
def mute_target(call: Changing, target: str, body: NewMute) -> TargetAnswer:
    """Tell a target nothing, or nothing of a game, until a time.

    Of what happens meanwhile it is never told, whatever is urgent; what waited before comes at the end.
    """
    return targets.mute_target(call.connection, call.person_id, call.now, target, until=body.until, game=body.game)


@routes.add("POST", "/targets/{target}/unmute", scope="targets")
def unmute_target(call: Changing, target: str, body: EndedMute) -> TargetAnswer:
    """Tell a muted target again, from now on."""
    return targets.unmute_target(call.connection, call.person_id, call.now, target, game=body.game)


@routes.add("POST", "/targets/{target}/test", scope="targets")
def test_target(call: Working, target: str) -> TrialAnswer:
    """Send a test message to a target, now, and say whether it was taken."""
    return targets.send_test(call.runtime, call.person_id, target)


@routes.add("GET", "/targets/{target}/try", scope="targets")
def try_target(call: Reading, target: str, query: TryQuery) -> Page[RehearsedAnswer]:
    """Show what a target would have been told of past events, and when; sends nothing.

    By its subscriptions, settings and mutes as they are now.
    """
    rows = subscriptions.rehearse(call.connection, call.person_id, call.now, target, query.since)
    return page_of(rows, query, lambda each: each.id)


@routes.add("GET", "/targets/{target}/inbox", scope="targets")
def show_inbox(call: Reading, target: str, query: PageQuery) -> Page[InboxAnswer]:
    """Show what waits for a target, for what and until when, the next first, then what was dropped lately."""
    rows = deliveries.load_inbox(call.connection, call.person_id, call.now, target)
    return page_of(rows, query, deliveries.place_in_inbox)


@routes.add("GET", "/targets/{target}/why-not", scope="targets")
def why_not(call: Reading, target: str, query: WhyNotQuery) -> WhyNotAnswer:
    """Say why a target was not told of an event.

    The answer says what each of its subscriptions misses, or until when it is held.
    """
    return deliveries.why_not(call.connection, call.person_id, call.now, target, query.event)
