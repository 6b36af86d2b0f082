"""Commands that sign in to a service: `sources login` and `sources logout`."""

from typing import Annotated

import typer
from rich.panel import Panel
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from models.errors import UsageError
from pipeline.cli.commands import COMMANDS, make_noun
from pipeline.cli.looking import list_sources, sources
from pipeline.cli.meaning import PersonName, person_of
from pipeline.cli.opening import open_command
from pipeline.cli.shop_accounts import sign_in as sign_in_to_shop
from pipeline.cli.shop_accounts import sign_out as sign_out_of_shop
from pipeline.fetch.http import Client
from pipeline.library.sources import shops
from pipeline.library.sources.shop import Shop
from pipeline.programs.sources import register
from pipeline.runtime.output import console, errors, show
from pipeline.runtime.runtime import Runtime, utc_now
from pipeline.services.twitch.account import SERVICE, sign_in
from pipeline.services.twitch.credentials import SOURCES, remove_credential
from pipeline.services.twitch.sign_in import FOLLOWS_SCOPE, SCOPES, DeviceCode, SignInError, Tokens, TwitchAuth

Service = Annotated[str, typer.Argument(metavar="SERVICE", help="twitch, steam or retroachievements")]
_ACCOUNT_HELP = "steam, retroachievements: whose library it is, by the address of the profile or by name."


def add_to(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = make_noun(COMMANDS["sources"].help)
    group.callback(invoke_without_command=True)(sources)
    group.command("list")(list_sources)
    group.command("login")(login)
    group.command("logout")(logout)
    app.add_typer(group, name="sources")


def login(
    service: Service,
    follows: Annotated[
        bool, typer.Option("--follows", help="Also ask to read whom you follow: `channels import --from-twitch`.")
    ] = False,
    account: Annotated[str | None, typer.Option("--account", metavar="NAME", help=_ACCOUNT_HELP)] = None,
    key_file: Annotated[
        str | None,
        typer.Option(
            "--key-file",
            metavar="FILE",
            help="steam, retroachievements: where your key is, `-` for standard input; asked for without.",
        ),
    ] = None,
    person: PersonName = None,
) -> int:
    """Sign in to a service, so that your dashboard or your library there can be read; keys are kept encrypted."""
    runtime = open_command()
    shop = _shop(runtime, service)
    if shop is not None:
        if follows:
            raise typer.BadParameter("--follows is for twitch")
        sign_in_to_shop(runtime, shop, account, key_file, person_of(runtime, person))
        return 0
    if account is not None or key_file is not None or person is not None:
        raise typer.BadParameter("--account, --key-file and --person are for steam and retroachievements")
    settings = runtime.settings
    with Client() as client:
        auth = TwitchAuth(
            client, settings.twitch_auth_url, settings.twitch_device_client_id, FOLLOWS_SCOPE if follows else SCOPES
        )
        code = auth.begin()
        _show_code(code)
        tokens = _wait(auth, code)
        viewer = auth.validate(tokens.access_token)
    if viewer is None:
        raise SignInError("Twitch does not confirm the sign-in that it has just given; try again in a minute")
    sign_in(runtime.engine, runtime.vault, tokens, viewer, utc_now())
    with runtime.engine.begin() as connection:
        register(connection, runtime, utc_now())
    console.print(
        f"Signed in to Twitch as {show(viewer.login)}. Fetched from now on: {', '.join(SOURCES[SERVICE])}.",
        markup=False,
        soft_wrap=True,
    )
    return 0


def logout(
    service: Service,
    account: Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only this one of several accounts.")
    ] = None,
    person: PersonName = None,
) -> int:
    """Forget a sign-in; what was learned by it stays."""
    runtime: Runtime = open_command()
    shop = _shop(runtime, service)
    if shop is not None:
        sign_out_of_shop(runtime, shop, account, person_of(runtime, person))
        return 0
    if account is not None or person is not None:
        raise typer.BadParameter("--account and --person are for steam and retroachievements")
    with runtime.engine.begin() as connection:
        was_signed_in = remove_credential(connection, service)
    console.print("Signed out of Twitch." if was_signed_in else "Nobody was signed in to Twitch.")
    return 0


def _shop(runtime: Runtime, service: str) -> Shop | None:
    """Return the shop of that name, None for Twitch."""
    known = shops(runtime.settings)
    if service != SERVICE and service not in known:
        raise UsageError(f"there is no sign-in for {service!r}; there is one for: {', '.join((SERVICE, *known))}")
    return known.get(service)


def _show_code(code: DeviceCode) -> None:
    lines = Text.assemble(
        "Open this address and enter the code:\n\n",
        (show(code.verification_uri), "underline"),
        "\n\n",
        (f"  {show(code.user_code)}  ", "bold reverse"),
    )
    if console.is_terminal:
        console.print(Panel(lines, title="Sign in to Twitch", expand=False, padding=(1, 4)))
        return
    console.print(f"Open {show(code.verification_uri)} and enter this code: {show(code.user_code)}", markup=False)


def _wait(auth: TwitchAuth, code: DeviceCode) -> Tokens:
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    ) as progress:
        progress.add_task("waiting until Twitch says that the code was entered (Ctrl-C gives up)", total=None)
        return auth.wait(code)
