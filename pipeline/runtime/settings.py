"""Settings from the environment, then `.env`, then `lootwire.toml`, each known by its origin.

`DATABASE_URL`, `REDIS_URL`, `TWITCH_CLIENT_ID` and `TWITCH_CLIENT_SECRET` keep their usual names; everything else
starts with `LOOTWIRE_`. In `lootwire.toml` a setting is written without that prefix in lower case. A setting that holds
a secret may also be given as `NAME_FILE`, the path of a file that holds it.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
)

from models.errors import LootwireError
from models.mistakes import reason_of

ENV_FILE = Path(".env")
TOML_FILE = Path("lootwire.toml")
PREFIX = "LOOTWIRE_"
LOOPBACK = "127.0.0.1"
IPV6 = 6
# Read where they are needed, before any settings can be: how embedded servers run, and what `up` tells its children.
NOT_SETTINGS = frozenset(
    {
        *("LOOTWIRE_EMBEDDED_LINGER", "LOOTWIRE_NO_USERNS", "LOOTWIRE_POSTGRES_USER", "LOOTWIRE_PARENT_FD"),
        # Of tests and the demo: ports of this machine that sounds may be fetched from.
        "LOOTWIRE_SOUND_LOOPBACK_PORTS",
    }
)
# Tables of `lootwire.toml` that are rules and no settings (`notifiers.rules.shapes`).
RULES = frozenset({"defaults", "follow", "subscription", "target"})
UNPREFIXED = frozenset({"database_url", "redis_url", "twitch_client_id", "twitch_client_secret"})


class SettingsError(LootwireError):
    """A setting is wrong; the text names it and where it came from, never its value if that is secret."""


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return _address(value).rstrip("/")


def _websocket_url(value: str) -> str:
    if not value.startswith(("ws://", "wss://")):
        raise ValueError("must start with ws:// or wss://")
    return _address(value)


def _address(value: str) -> str:
    """Refuse an address that no client could call: each program would stumble over it, whenever it asks."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        if re.fullmatch(r"[0-9.]+", host):
            ip_address(host)
        names_host = bool(host) and parts.port != 0
    except ValueError as error:
        raise ValueError(f"must be an address: {error}") from None
    if not names_host or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be an address: a host's name, and perhaps a port and a path, without spaces")
    return value


def _host(value: str) -> str:
    host = value.strip().removeprefix("[").removesuffix("]")
    if not re.fullmatch(r"[0-9A-Za-z.:_-]+(%[0-9A-Za-z]+)?", host):
        raise ValueError("must be an address of this machine, such as 127.0.0.1, 0.0.0.0 or ::, without a port")
    if host.count(":") == 1:
        raise ValueError("must be an address alone: the port is LOOTWIRE_HTTP_PORT")
    if ":" in host:
        ip_address(host.partition("%")[0])
    return host


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def reached_at(host: str) -> str:
    """Return the address, as it stands in a URL, at which this machine reaches what listens on a host."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return LOOPBACK
    return f"[{address}]" if address.version == IPV6 else str(address)


def _callback_url(value: str | None) -> str | None:
    """Refuse what Twitch would not call: it calls back by https on port 443 only."""
    if value is None:
        return None
    if not value.startswith("https://"):
        raise ValueError("must start with https://")
    address = urlsplit(_address(value))
    if not address.hostname or address.port not in {None, 443}:
        raise ValueError("must name a host, and port 443 or none: Twitch calls no other")
    return value


def _own_port(port: int, info: ValidationInfo) -> int:
    if port and port == info.data.get("http_port"):
        raise ValueError("must be another port than LOOTWIRE_HTTP_PORT")
    return port


def _absolute(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("must be a path, and no path holds a NUL character")
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"begins with {path.parts[0]}, and this machine has no such user") from None


def _no_secrets_within(path: Path | None, info: ValidationInfo) -> Path | None:
    """Refuse a published folder that the data directory lies in: its key file would be read by everybody."""
    data_dir: Path | None = info.data.get("data_dir")
    if path is not None and data_dir is not None and data_dir.resolve().is_relative_to(path.resolve()):
        raise ValueError("must not hold the data directory, whose key and databases would be published with it")
    return path


def _database_url(value: SecretStr | None) -> SecretStr | None:
    """Put the driver into the scheme, where SQLAlchemy wants it; people write `postgres://`."""
    if value is None:
        return None
    scheme, separator, rest = value.get_secret_value().partition("://")
    if not separator or scheme not in {"postgres", "postgresql", "postgresql+psycopg"}:
        raise ValueError("must start with postgresql://")
    return SecretStr("postgresql+psycopg://" + rest)


def _redis_url(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return value


def _ping_url(value: SecretStr | None) -> SecretStr | None:
    """Refuse what is no address; it is as good as a password, so the reason holds nothing of it."""
    if value is None:
        return None
    try:
        _http_url(value.get_secret_value())
    except ValueError:
        raise ValueError("must be an http:// or https:// address, such as https://hc-ping.com/your-uuid") from None
    return value


def _listed(value: object) -> object:
    """Split what a variable lists, with commas or spaces between."""
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _networks(value: object) -> object:
    """Split what a variable lists into networks; an address alone is one of itself."""
    listed = _listed(value)
    if not isinstance(listed, list | tuple):
        return listed
    try:
        return tuple(ip_network(each) if isinstance(each, str) else each for each in listed)
    except ValueError as error:
        raise ValueError(f"must be addresses or networks, such as 10.0.0.0/8: {error}") from None


def _spaced(value: object) -> object:
    """Split what a variable lists with spaces between, where each has commas of its own."""
    return value.split() if isinstance(value, str) else value


def _bucket_url(value: str | None) -> str | None:
    """Refuse an address that names no bucket, or that would show a secret wherever the address is shown."""
    if value is None:
        return None
    parts = urlsplit(_http_url(value))
    if not parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must name the host and the bucket, such as https://s3.example.org/my-bucket")
    if parts.username or parts.password:
        raise ValueError("must hold no password: LOOTWIRE_BUCKET_KEY_ID and LOOTWIRE_BUCKET_SECRET_KEY are for that")
    return parts.geturl()


def _hub_url(value: str) -> str:
    """Refuse what is no address; a hub knows itself by exactly this one, a slash at its end included."""
    _http_url(value)
    return value


def _host_name(value: str) -> str:
    """Refuse what the header Host cannot name: a name or an address, whose port does not matter."""
    if not re.fullmatch(r"[0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\]", value):
        raise ValueError("must be names of hosts without ports, such as drops.example.org")
    return value.lower()


def _origin(value: str) -> str:
    parts = urlsplit(_http_url(value))
    if parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError("must be origins, such as https://site.example.org: a scheme, a host and perhaps a port")
    return parts.geturl().lower()


def _needed_by_bucket(value: Any, info: ValidationInfo) -> Any:
    if value is None and info.data.get("bucket_url") is not None:
        raise ValueError("is missing, and LOOTWIRE_BUCKET_URL needs it")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
WebSocketUrl = Annotated[str, AfterValidator(_websocket_url)]
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
# A source is polled at most this often, in seconds, whatever it allows; a day is the slowest that makes sense.
PollSeconds = Annotated[int, Field(ge=1, le=86400)]

# The names of a persisted query, the best one first: in a variable with commas between them.
QueryHashes = Annotated[
    tuple[Annotated[str, Field(pattern="^[0-9a-f]{64}$")], ...], BeforeValidator(_listed), Field(min_length=1)
]


class Settings(BaseModel):
    """Everything that an operator can set; build it with `load_settings` at an entry point only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data_dir: AbsolutePath = Field(
        default=Path("~/.local/share/lootwire"), validate_default=True, description="databases, keys and logs"
    )
    publish_dir: Annotated[AbsolutePath | None, AfterValidator(_no_secrets_within)] = Field(
        default=None, description="where feeds and pages are written; DATA_DIR/public by default"
    )
    publish_compressed: Annotated[tuple[Literal["gzip", "zstd"], ...], BeforeValidator(_listed)] = Field(
        default=(), description="gzip, zstd or both: what lies packed beside each published file"
    )
    bucket_url: Annotated[str | None, AfterValidator(_bucket_url)] = Field(
        default=None, description="a bucket of an S3-compatible service that the published folder is copied to"
    )
    bucket_region: str = Field(
        default="us-east-1", pattern="^[0-9a-z-]+$", description="the bucket's region; many services take any"
    )
    bucket_key_id: Annotated[str | None, AfterValidator(_needed_by_bucket)] = Field(
        default=None, pattern=r"^\S+$", validate_default=True, description="the name of the bucket's key"
    )
    bucket_secret_key: Annotated[SecretStr | None, AfterValidator(_needed_by_bucket)] = Field(
        default=None, validate_default=True, description="the bucket's secret key"
    )
    websub_hubs: Annotated[tuple[Annotated[str, AfterValidator(_hub_url)], ...], BeforeValidator(_listed)] = Field(
        default=(), description="WebSub hubs that hear of each change of a feed; PUBLIC_URL must be reached by them"
    )
    http_host: Annotated[str, AfterValidator(_host)] = Field(
        default=LOOPBACK, description="the address of this machine that both ports listen on"
    )
    http_port: int = Field(default=8420, ge=0, le=65535, description="port of the small web server")
    public_url: HttpUrl = Field(
        default_factory=lambda values: f"http://{reached_at(values['http_host'])}:{values['http_port']}",
        description="the address under which the published folder is read",
    )
    api: bool = Field(default=True, description="whether the web server answers /api/v1, for those who have a key")
    api_requests_per_minute: int = Field(
        default=600, ge=1, le=1_000_000, description="how many requests a minute a key of the API has, without a plan"
    )
    api_burst: int = Field(default=60, ge=1, le=100_000, description="how many of them it may make at once")
    api_origins: Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_listed)] = Field(
        default=(), description="origins whose pages may call the API from a browser; none if unset"
    )
    hosts: Annotated[tuple[Annotated[str, AfterValidator(_host_name)], ...], BeforeValidator(_listed)] = Field(
        default=(), description="names that the API answers to, beside PUBLIC_URL's and those of this machine itself"
    )
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], BeforeValidator(_networks)] = Field(
        default=(), description="addresses and networks of web servers in front, whose X-Forwarded-For is believed"
    )
    database_url: Annotated[SecretStr | None, AfterValidator(_database_url)] = Field(
        default=None, description="a PostgreSQL of your own; embedded if unset"
    )
    redis_url: Annotated[SecretStr | None, AfterValidator(_redis_url)] = Field(
        default=None, description="a Redis or Valkey of your own; embedded if unset"
    )
    drops_mirror_url: HttpUrl = "https://twitch-drops-api.sunkwi.com"
    kick_url: HttpUrl = "https://web.kick.com"
    chzzk_url: HttpUrl = "https://api.chzzk.naver.com"
    twitch_client_id: str | None = Field(
        default=None, pattern=r"^\S+$", description="your application at dev.twitch.tv; streams need it"
    )
    twitch_client_secret: SecretStr | None = Field(default=None, description="that application's secret")
    helix_url: HttpUrl = "https://api.twitch.tv/helix"
    eventsub_url: WebSocketUrl = "wss://eventsub.wss.twitch.tv/ws"
    eventsub_callback_url: Annotated[str | None, AfterValidator(_callback_url)] = Field(
        default=None, description="the public https address of the receiver; unset, EventSub comes by websocket"
    )
    receiver_port: Annotated[int, AfterValidator(_own_port)] = Field(
        default=8421,
        ge=0,
        le=65535,
        validate_default=True,
        description="port of the receiver of webhooks and of /health",
    )
    streams_poll_seconds: PollSeconds = 300
    streams_in_campaigns_poll_seconds: PollSeconds = 60
    stream_flap_seconds: int = Field(
        default=600, ge=0, le=86400, description="a stream that is back within so many seconds is the same story"
    )
    igdb_url: HttpUrl = "https://api.igdb.com/v4"
    steam_url: HttpUrl = "https://api.steampowered.com"
    retroachievements_url: HttpUrl = "https://retroachievements.org"
    library_poll_seconds: PollSeconds = 86400
    library_played_poll_seconds: PollSeconds = Field(
        default=3600, description="the same of an account that played within two days"
    )
    roms_poll_seconds: PollSeconds = Field(default=3600, description="how often each folder of ROMs is looked at")
    rom_readers: int = Field(
        default=2, ge=1, le=64, description="how many processes read files of ROMs at once; each fills a core"
    )
    ffmpeg: AbsolutePath | None = Field(
        default=None, description="the ffmpeg that renders sounds; the one of imageio-ffmpeg if unset"
    )
    sound_processes: int = Field(default=2, ge=1, le=16, description="how many sounds are fetched or rendered at once")
    sound_mb: int | None = Field(
        default=None, ge=100, description="the most that sounds may take in DATA_DIR; no limit if unset"
    )
    sound_kbps: int = Field(default=128, ge=32, le=320, description="the bit rate that speech is rendered with")
    sound_profiles: Annotated[tuple[str, ...], BeforeValidator(_spaced)] = Field(
        default=(), description="own profiles of loudness with spaces between, such as loud:integrated=-14,codec=opus"
    )
    sound_pause_seconds: int = Field(
        default=5, ge=0, le=3600, description="the time between two downloads from the same host"
    )
    sound_rate_kb: int | None = Field(
        default=None, ge=10, description="the most kilobytes a second that a download asks for; no limit if unset"
    )
    badges_poll_seconds: PollSeconds = 3600
    twitch_auth_url: HttpUrl = "https://id.twitch.tv/oauth2"
    gql_url: HttpUrl = "https://gql.twitch.tv/gql"
    twitch_device_client_id: str = Field(
        default="kd1unb4b3q4t58fwlpcbzcbnm76a8fp",
        pattern="^[0-9a-z]{10,64}$",
        description="a public application that signs in by device code and may see the drops dashboard",
    )
    # Recorded 2026-07-30, and one that public clients used before; they change one to three times a year.
    twitch_dashboard_hashes: QueryHashes = (
        "d9cae7761dafab85908c85e6683cb4201b449e66ac3bb5e894f15ff12aeafaa7",
        "5a4da2ab3d5b47c9f9ce864e727b2cb346af1e3ea8b897fe8f704a97ff017619",
    )
    # Recorded 2024-10-12.
    twitch_details_hashes: QueryHashes = ("039277bf98f3130929262cc7c6efd9c141ca3749cb6dca442fc8ead9a53f77c1",)
    # Recorded 2026-07-30.
    twitch_inventory_hashes: QueryHashes = ("8337eb8541b314040b0edde0c09c5c7a2783ba1960aa9edfbf3bac16d0fec404",)
    drops_mirror_poll_seconds: PollSeconds = 60
    kick_poll_seconds: PollSeconds = 900
    chzzk_poll_seconds: PollSeconds = 1800
    twitch_dashboard_poll_seconds: PollSeconds = 900
    twitch_inventory_poll_seconds: PollSeconds = 300
    local_pictures: bool = Field(default=False, description="keep copies of the pictures that feeds and pages show")
    local_pictures_mb: int = Field(default=500, ge=10, description="the most that these copies may take")
    apply_rules: bool = Field(
        default=False, description="let `up` apply lootwire.toml and rules/*.toml, at its start and when they change"
    )
    chzzk_first_number: int = Field(default=905, ge=1, description="where CHZZK's probing starts")
    worker_processes: int | None = Field(
        default=None, ge=1, le=64, description="the old name of LOOTWIRE_WORKERS and LOOTWIRE_FETCHERS together"
    )
    ping_url: Annotated[SecretStr | None, AfterValidator(_ping_url)] = Field(
        default=None, description="an address that is pinged after each healthy minute, as Healthchecks.io gives them"
    )
    workers: int = Field(
        default_factory=lambda values: values.get("worker_processes") or 2,
        ge=1,
        le=64,
        description="how many ticks are carried out at once",
    )
    fetchers: int = Field(
        default_factory=lambda values: values.get("worker_processes") or 2,
        ge=1,
        le=64,
        description="how many processes ask sources",
    )
    senders: int = Field(default=200, ge=1, le=1000, description="how many messages may be under way at once")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "text", "json"] = Field(
        default="auto", description="text for people or json for programs; auto is text on a terminal, json elsewhere"
    )
    feed_items: int = Field(
        default=50, ge=1, le=1000, description="how many items a feed has, beside all that is on now"
    )

    @property
    def published(self) -> Path:
        """The folder that feeds and pages are written to."""
        return self.publish_dir or self.data_dir / "public"

    @property
    def bucket_manifest(self) -> Path:
        """The file that says what the bucket has."""
        return self.data_dir / "bucket.sqlite3"

    @property
    def templates(self) -> Path:
        """The folder of the operator's own templates of messages; there may be none."""
        return self.data_dir / "templates"

    @property
    def pages(self) -> Path:
        """The folder of the operator's own templates and stylesheets of pages; there may be none."""
        return self.data_dir / "pages"

    @property
    def sounds_wanted(self) -> Path:
        """The file that is there while the program `sounds` has something to do."""
        return self.data_dir / "sounds" / "wanted"

    @property
    def missing_of_application(self) -> Sequence[str]:
        """Which settings of an application at Twitch are not set: both, one or none."""
        values = {"twitch_client_id": self.twitch_client_id, "twitch_client_secret": self.twitch_client_secret}
        return [variable_name(name) for name, value in values.items() if value is None]

    @property
    def is_open_to_others(self) -> bool:
        """Whether other machines may reach our ports."""
        return not is_loopback(self.http_host)


class LoadedSettings(BaseModel):
    """The settings with the origin of each: `environment`, a file's path, or `default`."""

    model_config = ConfigDict(frozen=True)

    settings: Settings
    origins: Mapping[str, str]
    # Variables that look like ours and are not: misspelt, or of another version.
    unknown: Sequence[str] = ()


def variable_name(field: str) -> str:
    """Return the environment variable of a setting."""
    return field.upper() if field in UNPREFIXED else PREFIX + field.upper()


def load_settings(
    environ: Mapping[str, str] | None = None, *, env_file: Path = ENV_FILE, toml_file: Path = TOML_FILE
) -> LoadedSettings:
    """Read the settings; raises `SettingsError` naming each wrong setting and its origin."""
    environ = os.environ if environ is None else environ
    dotenv = _from_dotenv(env_file)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for field, value in _from_toml(toml_file).items():
        values[field], origins[field] = value, str(toml_file)
    for origin, variables in ((str(env_file), dotenv), ("environment", environ)):
        for field, value in _from_variables(variables, origin).items():
            values[field], origins[field] = value, origin
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        # A default that is made of another setting cannot be wrong by itself.
        wrong = [problem for problem in error.errors() if problem["type"] != "default_factory_not_called"]
        raise SettingsError("\n".join(_explain(problem, origins) for problem in wrong)) from None
    return LoadedSettings(
        settings=settings,
        origins={field: origins.get(field, "default") for field in Settings.model_fields},
        unknown=sorted(name for name in {*dotenv, *environ} if _looks_like_ours(name)),
    )


def _from_variables(variables: Mapping[str, str], origin: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in Settings.model_fields:
        name = variable_name(field)
        file_name = f"{name}_FILE"
        if variables.get(file_name):
            values[field] = _read_secret(Path(variables[file_name]), file_name, origin)
        if variables.get(name):
            values[field] = variables[name]
    return values


def _looks_like_ours(name: str) -> bool:
    """Whether a variable looks like a misspelt setting, which must not pass in silence."""
    if not name.startswith(PREFIX) or name in NOT_SETTINGS:
        return False
    known = {variable_name(field) for field in Settings.model_fields}
    return name not in known and name.removesuffix("_FILE") not in known


def _read_secret(path: Path, name: str, origin: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file, or no path"
        raise SettingsError(f"{name} (from {origin}): cannot read {path}: {reason}") from error


def _from_dotenv(path: Path) -> dict[str, str]:
    try:
        return {key: value for key, value in dotenv_values(path).items() if value is not None}
    except UnicodeDecodeError as error:
        raise SettingsError(f"cannot read {path}: not a text file in UTF-8 ({error.reason})") from error


def _from_toml(path: Path) -> dict[str, Any]:
    try:
        # Some editors begin a file with a byte order mark, and TOML knows none.
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return {key: value for key, value in document.items() if key not in RULES}
    except FileNotFoundError:
        return {}
    except RecursionError:
        raise SettingsError(f"cannot read {path}: it is nested too deeply") from None
    except (OSError, ValueError) as error:
        # A number of thousands of digits is a ValueError too.
        raise SettingsError(f"cannot read {path}: {error}") from error


def _explain(problem: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    field = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return f"`{field}` (from {origins[field]}) is not a setting; `lootwire doctor` lists them all"
    return f"{variable_name(field)} (from {origins.get(field, 'default')}): {reason_of(problem)}"
