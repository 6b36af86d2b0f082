"""Commands on what can be earned: `campaigns`, `rewards`, `badges`, `organizations`."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import typer

from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.opening import GREATEST, open_command
from pipeline.drops.listing.campaigns import CampaignFilter, CampaignLine, State
from pipeline.drops.listing.naming import find_named
from pipeline.drops.listing.organizations import OrganizationLine
from pipeline.drops.listing.rewards import RewardCampaignAnswer, RewardFilter
from pipeline.drops.listing.rewards import State as RewardState
from pipeline.drops.listing.subjects import Subject
from pipeline.operations import badges as badge_operations
from pipeline.operations import campaigns as operations
from pipeline.operations import organizations as organization_operations
from pipeline.operations import rewards as reward_operations
from pipeline.runtime.output import JsonFlag, console, print_json, print_rows, show
from pipeline.runtime.runtime import utc_now

IN_TABLE = 50
campaigns, rewards, badges, organizations = (
    make_noun(COMMANDS[name].help) for name in ("campaigns", "rewards", "badges", "organizations")
)
Service = Annotated[str | None, typer.Option(help="Of this service: twitch, kick, chzzk.")]
Game = Annotated[str | None, typer.Option(help="Of this game, by name or public id.")]
Bought = Annotated[
    bool | None, typer.Option("--has-subscription/--no-subscription", help="Whether any of it asks for a subscription.")
]
Limit = Annotated[int | None, typer.Option(min=1, max=GREATEST, help="How many at most; 50 in the table.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(campaigns, name="campaigns")
    app.add_typer(rewards, name="rewards")
    app.add_typer(badges, name="badges")
    app.add_typer(organizations, name="organizations")


@campaigns.callback(invoke_without_command=True)
def campaigns_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the drop campaigns that are known, the newest first; with a command, one with all its drops."""
    if context.invoked_subcommand is None:
        list_campaigns(as_json=as_json)


@campaigns.command("list")
def list_campaigns(
    state: Annotated[State | None, typer.Option(help="Only those that stand so.")] = None,
    service: Service = None,
    game: Game = None,
    organization: Annotated[str | None, typer.Option(help="Of this organization, by name or public id.")] = None,
    has_subscription: Bought = None,
    limit: Limit = None,
    as_json: JsonFlag = False,
) -> None:
    """Show drop campaigns, those that became known last first."""
    wanted = CampaignFilter(
        state=state, service=service, game=game, organization=organization, has_subscription=has_subscription
    )
    with open_command().engine.connect() as connection:
        lines = operations.list_campaigns(connection, wanted, utc_now(), limit=_most(limit, as_json=as_json))
    columns = ("id", "name", "state", "game", "service", "end_at", "required_minutes")
    empty = "No campaign is known yet: `lootwire once` fetches some."
    rows = [_row(line, as_json=as_json) for line in lines]
    print_rows(
        rows, as_json=as_json, columns=columns, empty=empty if wanted == CampaignFilter() else "None is like that."
    )


@campaigns.command("show")
def show_campaign(
    name: Annotated[str, typer.Argument(metavar="ID|NAME", help="A campaign's number, its service's id, or its name.")],
    as_json: JsonFlag = False,
) -> None:
    """Show a campaign: its drops and what they give, its channels, its deadlines and what happened to it."""
    with open_command().engine.connect() as connection:
        number = name if name.isdecimal() else str(find_named(connection, name, among=("campaign",)).id)
        page = operations.show_campaign(connection, number, utc_now())
    if as_json:
        print_json(page)
        return
    _print_fields(_row(page.campaign, as_json=False) | {"description": page.description})
    drops = [
        {"drop": drop.name, "minutes": drop.required_minutes, "subscriptions": drop.required_subs}
        | {"gives": [benefit.name for benefit in drop.benefits if benefit.name]}
        for drop in page.drops
    ]
    print_rows(drops, as_json=False, columns=("drop", "minutes", "subscriptions", "gives"), empty="No drops are known.")
    if page.channels:
        more = page.campaign.channels - len(page.channels)
        names = [channel.display_name or channel.login for channel in page.channels]
        and_more = f" and {more:,} more" if more > 0 else ""
        console.print(f"on {show(names)}{and_more}", markup=False, soft_wrap=True)
    for deadline in page.deadlines:
        console.print(f"{show(deadline.due_at)}  {deadline.kind}", markup=False)
    for event in page.changes:
        console.print(f"{show(event.occurred_at)}  {show(event.title)}", markup=False, soft_wrap=True)


@rewards.callback(invoke_without_command=True)
def rewards_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the reward campaigns that are known, the newest first; with a command, one with what it gives."""
    if context.invoked_subcommand is None:
        list_rewards(as_json=as_json)


@rewards.command("list")
def list_rewards(
    state: Annotated[RewardState | None, typer.Option(help="Only those that stand so.")] = None,
    service: Service = None,
    game: Game = None,
    has_subscription: Bought = None,
    limit: Limit = None,
    as_json: JsonFlag = False,
) -> None:
    """Show reward campaigns, those that became known last first."""
    wanted = RewardFilter(state=state, service=service, game=game, has_subscription=has_subscription)
    with open_command().engine.connect() as connection:
        lines = reward_operations.list_rewards(connection, wanted, utc_now(), limit=_most(limit, as_json=as_json))
    rows = [_row(line, as_json=as_json) for line in lines]
    empty = "No reward campaign is known yet." if wanted == RewardFilter() else "None is like that."
    print_rows(rows, as_json=as_json, columns=("id", "name", "state", "brand", "game", "end_at"), empty=empty)


@rewards.command("show")
def show_reward(
    name: Annotated[str, typer.Argument(metavar="ID", help="A reward campaign's number, or its service's id.")],
    as_json: JsonFlag = False,
) -> None:
    """Show a reward campaign with what it gives."""
    with open_command().engine.connect() as connection:
        reward = reward_operations.show_reward(connection, name, utc_now())
    if as_json:
        print_json(reward)
        return
    _print_fields(_row(reward, as_json=False))
    rows = [msgspec.structs.asdict(each) for each in reward.rewards]
    print_rows(rows, as_json=False, columns=("name", "required_minutes", "required_subs"), empty="")


@badges.callback(invoke_without_command=True)
def badges_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the global chat badges that are known, the newest first."""
    if context.invoked_subcommand is None:
        list_badges(as_json=as_json)


@badges.command("list")
def list_badges(limit: Limit = None, as_json: JsonFlag = False) -> None:
    """Show global chat badges, those that became known last first."""
    with open_command().engine.connect() as connection:
        lines = badge_operations.list_badges(connection, limit=_most(limit, as_json=as_json))
    rows = [msgspec.structs.asdict(line) for line in lines]
    empty = "No badge is known yet."
    print_rows(rows, as_json=as_json, columns=("id", "title", "description", "first_seen_at"), empty=empty)


@badges.command("show")
def show_badge(
    number: Annotated[int, typer.Argument(min=1, max=GREATEST, help="A badge's number.")], as_json: JsonFlag = False
) -> None:
    """Show a badge."""
    with open_command().engine.connect() as connection:
        badge = badge_operations.show_badge(connection, number)
    if as_json:
        print_json(badge)
    else:
        _print_fields(msgspec.structs.asdict(badge))


@organizations.callback(invoke_without_command=True)
def organizations_by_default(context: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the organizations that run campaigns; with a command, one with its games."""
    if context.invoked_subcommand is None:
        list_organizations(as_json=as_json)


@organizations.command("list")
def list_organizations(service: Service = None, limit: Limit = None, as_json: JsonFlag = False) -> None:
    """Show organizations with how many campaigns each had."""
    with open_command().engine.connect() as connection:
        lines = organization_operations.list_organizations(
            connection, service=service, limit=_most(limit, as_json=as_json)
        )
    rows = [msgspec.structs.asdict(line) for line in lines]
    columns = ("name", "service", "open", "campaigns", "last_end_at", "public_id")
    print_rows(rows, as_json=as_json, columns=columns, empty="No organization is known yet.")


@organizations.command("show")
def show_organization(
    name: Annotated[str, typer.Argument(metavar="NAME|ID", help="An organization's name, or its public id.")],
    as_json: JsonFlag = False,
) -> None:
    """Show an organization with the games that it ran campaigns for."""
    with open_command().engine.connect() as connection:
        page = organization_operations.show_organization(connection, name)
    if as_json:
        print_json(page)
        return
    _print_fields(_row(page.organization, as_json=False))
    rows = [msgspec.structs.asdict(each) | {"game": each.game.name} for each in page.games]
    print_rows(rows, as_json=False, columns=("game", "open", "campaigns", "last_end_at"), empty="No game is known.")


def _most(limit: int | None, *, as_json: bool) -> int | None:
    return limit or (None if as_json else IN_TABLE)


def _row(line: CampaignLine | RewardCampaignAnswer | OrganizationLine, *, as_json: bool) -> dict[str, Any]:
    """Return a line by its fields; for people a subject is its name."""
    fields = msgspec.structs.asdict(line)
    if as_json:
        return fields
    return {name: value.name if isinstance(value, Subject) else value for name, value in fields.items()}


def _print_fields(fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if value is not None and not isinstance(value, list):
            console.print(f"{name.replace('_', ' '):>16}  {show(value)}", markup=False, soft_wrap=True)
