"""The origins of settings, and the messages about wrong ones."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.runtime.settings import LoadedSettings, Settings, SettingsError, load_settings, variable_name

SECRET = "hunter2-and-more"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def load(
    folder: Path, environ: Mapping[str, str] | None = None, *, env: str | None = None, toml: str | None = None
) -> LoadedSettings:
    """Load settings from an environment and files with these contents."""
    for name, content in ((".env", env), ("lootwire.toml", toml)):
        if content is not None:
            (folder / name).write_text(content, encoding="utf-8")
    return load_settings(environ or {}, env_file=folder / ".env", toml_file=folder / "lootwire.toml")


def error(folder: Path, environ: Mapping[str, str] | None = None, **files: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(folder, environ, **files)
    return str(caught.value)


def test_without_any_setting_everything_is_a_default(folder: Path) -> None:
    loaded = load(folder)

    assert set(loaded.origins) == set(Settings.model_fields)
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.settings.drops_mirror_url == "https://twitch-drops-api.sunkwi.com"
    assert loaded.settings.data_dir.is_absolute()
    assert loaded.settings.published == loaded.settings.data_dir / "public"


def test_the_environment_goes_before_dotenv_and_dotenv_before_toml(folder: Path) -> None:
    loaded = load(
        folder,
        {"LOOTWIRE_HTTP_PORT": "1"},
        env="LOOTWIRE_HTTP_PORT=2\nLOOTWIRE_WORKER_PROCESSES=3\n",
        toml='http_port = 4\nworker_processes = 5\nkick_url = "https://kick.example.org/"\n',
    )

    settings, origins = loaded.settings, loaded.origins
    assert (settings.http_port, origins["http_port"]) == (1, "environment")
    assert (settings.worker_processes, origins["worker_processes"]) == (3, str(folder / ".env"))
    assert (settings.kick_url, origins["kick_url"]) == ("https://kick.example.org", str(folder / "lootwire.toml"))
    assert origins["chzzk_url"] == "default"


def test_an_empty_variable_is_no_setting(folder: Path) -> None:
    loaded = load(folder, {"LOOTWIRE_HTTP_PORT": "", "DATABASE_URL": ""}, env="LOOTWIRE_WORKER_PROCESSES=\n")

    assert (loaded.settings.http_port, loaded.settings.database_url) == (8420, None)
    assert set(loaded.origins.values()) == {"default"}


def test_paths_are_absolute_and_know_the_home_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    settings = load(folder, {"LOOTWIRE_DATA_DIR": "~/loot", "LOOTWIRE_PUBLISH_DIR": "/srv/www"}).settings

    assert (settings.data_dir, settings.published) == (Path("/home/ann/loot"), Path("/srv/www"))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_database_url_may_be_written_as_people_write_it(folder: Path, scheme: str) -> None:
    url = load(folder, {"DATABASE_URL": f"{scheme}://ann:{SECRET}@db/loot"}).settings.database_url

    assert url is not None
    assert url.get_secret_value() == f"postgresql+psycopg://ann:{SECRET}@db/loot"


def test_a_secret_may_be_kept_in_a_file_and_the_variable_itself_goes_first(folder: Path) -> None:
    kept = folder / "url"
    kept.write_text(f"redis://:{SECRET}@cache\n", encoding="utf-8")

    from_file = load(folder, {"REDIS_URL_FILE": str(kept)})
    both = load(folder, {"REDIS_URL_FILE": str(kept), "REDIS_URL": "redis://other"})

    assert from_file.settings.redis_url is not None
    assert from_file.settings.redis_url.get_secret_value() == f"redis://:{SECRET}@cache"
    assert from_file.origins["redis_url"] == "environment"
    assert both.settings.redis_url is not None
    assert both.settings.redis_url.get_secret_value() == "redis://other"


def test_secrets_are_in_no_representation_of_the_settings(folder: Path) -> None:
    urls = {"DATABASE_URL": f"postgres://ann:{SECRET}@db/loot", "REDIS_URL": f"redis://:{SECRET}@cache"}
    loaded = load(folder, urls)

    for text in (repr(loaded), str(loaded), repr(loaded.settings), loaded.settings.model_dump_json()):
        assert SECRET not in text


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "LOOTWIRE_HTTP_PORT": ({"LOOTWIRE_HTTP_PORT": "eighty"}, "must be a whole number"),
    "LOOTWIRE_WORKER_PROCESSES": ({"LOOTWIRE_WORKER_PROCESSES": "0"}, "must be at least 1"),
    "LOOTWIRE_KICK_URL": ({"LOOTWIRE_KICK_URL": "kick.example.org"}, "must start with http:// or https://"),
    "LOOTWIRE_LOG_LEVEL": ({"LOOTWIRE_LOG_LEVEL": "LOUD"}, "is none of DEBUG, INFO, WARNING, ERROR"),
    "LOOTWIRE_KICK_POLL_SECONDS": ({"LOOTWIRE_KICK_POLL_SECONDS": "0"}, "must be at least 1"),
    "DATABASE_URL": ({"DATABASE_URL": f"mysql://ann:{SECRET}@db"}, "must start with postgresql://"),
    "LOOTWIRE_RECEIVER_PORT": (
        {"LOOTWIRE_RECEIVER_PORT": "8500", "LOOTWIRE_HTTP_PORT": "8500"},
        "another port than LOOTWIRE_HTTP_PORT",
    ),
    "LOOTWIRE_EVENTSUB_CALLBACK_URL": ({"LOOTWIRE_EVENTSUB_CALLBACK_URL": "https://example.org:8443/e"}, "port 443"),
    "REDIS_URL": ({"REDIS_URL": f"amqp://ann:{SECRET}@mq"}, "must start with redis://"),
    "LOOTWIRE_PUBLISH_COMPRESSED": ({"LOOTWIRE_PUBLISH_COMPRESSED": "gzip brotli"}, "is none of gzip, zstd"),
    "LOOTWIRE_BUCKET_URL": ({"LOOTWIRE_BUCKET_URL": f"https://ann:{SECRET}@s3.example.org/b"}, "hold no password"),
    "LOOTWIRE_BUCKET_REGION": ({"LOOTWIRE_BUCKET_REGION": "Frankfurt am Main"}, ""),
    "LOOTWIRE_WEBSUB_HUBS": ({"LOOTWIRE_WEBSUB_HUBS": "https://a.example hub"}, "must start with http:// or https://"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_a_wrong_value_names_the_setting_and_its_origin_and_shows_no_secret(
    folder: Path, name: str, place: str
) -> None:
    variables, reason = WRONG[name]
    as_file = "".join(f"{key}={value}\n" for key, value in variables.items())

    message = error(folder, variables) if place == "environment" else error(folder, env=as_file)

    origin = "environment" if place == "environment" else str(folder / ".env")
    assert message.startswith(f"{name} (from {origin}): ")
    assert reason in message
    assert SECRET not in message


def test_every_wrong_setting_is_named_at_once(folder: Path) -> None:
    message = error(folder, {"LOOTWIRE_HTTP_PORT": "x", "REDIS_URL": "x"}, toml='kick_url = "x"\n')

    assert sorted(line.split(" ")[0] for line in message.splitlines()) == [
        "LOOTWIRE_HTTP_PORT",
        "LOOTWIRE_KICK_URL",
        "REDIS_URL",
    ]


def test_a_wrong_default_place_of_a_toml_value_names_the_file(folder: Path) -> None:
    message = error(folder, toml="http_port = 99999\n")

    assert message.startswith(f"LOOTWIRE_HTTP_PORT (from {folder / 'lootwire.toml'}): ")


def test_a_key_in_toml_that_is_no_setting_is_named_with_its_file(folder: Path) -> None:
    message = error(folder, toml="htp_port = 80\n")

    assert "`htp_port`" in message
    assert str(folder / "lootwire.toml") in message


def test_toml_that_cannot_be_read_is_an_error_of_its_own(folder: Path) -> None:
    assert str(folder / "lootwire.toml") in error(folder, toml="http_port = = 1\n")
    (folder / "lootwire.toml").write_bytes(b"\xff\xfe")
    assert str(folder / "lootwire.toml") in error(folder)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "not text"])
def test_a_secrets_file_that_cannot_be_read_is_named(folder: Path, content: bytes | None) -> None:
    path = folder / "secret"
    if content is not None:
        path.write_bytes(content)

    message = error(folder, {"DATABASE_URL_FILE": str(path)})

    assert message.startswith("DATABASE_URL_FILE (from environment): cannot read")
    assert str(path) in message


def test_a_misspelt_variable_is_noticed_and_our_own_switches_are_not(folder: Path) -> None:
    loaded = load(
        folder,
        {"LOOTWIRE_HTPP_PORT": "1", "LOOTWIRE_EMBEDDED_LINGER": "0.1", "PATH": "/bin", "DATABASE_URL_FILE": ""},
        env="LOOTWIRE_KICK_URLS=x\n",
    )

    assert loaded.unknown == ["LOOTWIRE_HTPP_PORT", "LOOTWIRE_KICK_URLS"]


def test_settings_cannot_be_changed_afterwards(folder: Path) -> None:
    settings = load(folder).settings

    with pytest.raises(ValueError, match="frozen"):
        settings.http_port = 1


def test_the_public_address_follows_the_port_unless_it_is_given(tmp_path: Path) -> None:
    nowhere = {"env_file": tmp_path / ".env", "toml_file": tmp_path / "lootwire.toml"}
    followed = load_settings({"LOOTWIRE_HTTP_PORT": "9000"}, **nowhere).settings
    given = load_settings(
        {"LOOTWIRE_HTTP_PORT": "9000", "LOOTWIRE_PUBLIC_URL": "https://a.example/"}, **nowhere
    ).settings
    assert (followed.public_url, given.public_url) == ("http://127.0.0.1:9000", "https://a.example")


def test_a_wrong_port_alone_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as message:
        load_settings({"LOOTWIRE_HTTP_PORT": "x"}, env_file=tmp_path / ".env", toml_file=tmp_path / "lootwire.toml")
    assert str(message.value).startswith("LOOTWIRE_HTTP_PORT")
    assert "PUBLIC_URL" not in str(message.value)


def test_a_port_that_a_default_has_already_is_told_too(folder: Path) -> None:
    message = error(folder, {"LOOTWIRE_HTTP_PORT": "8421"})

    assert message == "LOOTWIRE_RECEIVER_PORT (from default): must be another port than LOOTWIRE_HTTP_PORT"


@pytest.mark.parametrize("address", ["https://example.org/eventsub", "https://example.org:443/eventsub"])
def test_twitch_calls_back_on_its_one_port(folder: Path, address: str) -> None:
    assert load(folder, {"LOOTWIRE_EVENTSUB_CALLBACK_URL": address}).settings.eventsub_callback_url == address


@pytest.mark.parametrize("address", ["https://", "https:///eventsub", "https://example.org:0x/eventsub"])
def test_a_callback_needs_a_host_and_a_port_that_can_be(folder: Path, address: str) -> None:
    assert "LOOTWIRE_EVENTSUB_CALLBACK_URL" in error(folder, {"LOOTWIRE_EVENTSUB_CALLBACK_URL": address})


@pytest.mark.parametrize(
    ("host", "address", "is_open"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("localhost", "localhost", False),
        ("::1", "[::1]", False),
        ("[::1]", "[::1]", False),
        ("0.0.0.0", "127.0.0.1", True),
        ("::", "127.0.0.1", True),
        ("192.168.7.5", "192.168.7.5", True),
    ],
)
def test_the_public_address_follows_the_address_that_is_listened_on(
    folder: Path, host: str, address: str, is_open: bool
) -> None:
    settings = load(folder, {"LOOTWIRE_HTTP_HOST": host}).settings
    assert settings.public_url == f"http://{address}:8420"
    assert settings.is_open_to_others is is_open


@pytest.mark.parametrize("host", ["http://0.0.0.0", "0.0.0.0:8420", "a b", "*"])
def test_what_is_no_address_to_listen_on_is_named(folder: Path, host: str) -> None:
    assert "LOOTWIRE_HTTP_HOST (from environment): must be an address" in error(folder, {"LOOTWIRE_HTTP_HOST": host})


def test_the_published_folder_holds_no_data_directory(folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "link").symlink_to(data)
    for published in (data, tmp_path, tmp_path / "link", tmp_path / "link" / ".." / "data", Path("/")):
        variables = {"LOOTWIRE_DATA_DIR": str(data), "LOOTWIRE_PUBLISH_DIR": str(published)}
        assert "must not hold the data directory" in error(folder, variables)
    for published in (data / "public", tmp_path / "data-public"):
        variables = {"LOOTWIRE_DATA_DIR": str(data), "LOOTWIRE_PUBLISH_DIR": str(published)}
        assert load(folder, variables).settings.published == published


def test_a_bucket_needs_a_name_and_both_parts_of_its_key(folder: Path) -> None:
    variables = {
        "LOOTWIRE_BUCKET_URL": "https://s3.example.org/drops/site/",
        "LOOTWIRE_BUCKET_KEY_ID": "AKIA",
        "LOOTWIRE_BUCKET_SECRET_KEY": SECRET,
    }
    assert load(folder, variables).settings.bucket_url == "https://s3.example.org/drops/site"
    assert "must name the host and the bucket" in error(
        folder, variables | {"LOOTWIRE_BUCKET_URL": "https://s3.example.org/"}
    )
    for missing in ("LOOTWIRE_BUCKET_KEY_ID", "LOOTWIRE_BUCKET_SECRET_KEY"):
        rest = {name: value for name, value in variables.items() if name != missing}
        assert error(folder, rest) == f"{missing} (from default): is missing, and LOOTWIRE_BUCKET_URL needs it"


def test_what_lists_several_may_have_commas_or_spaces_between(folder: Path) -> None:
    hubs = "https://one.example/, https://two.example/hub"
    settings = load(folder, {"LOOTWIRE_PUBLISH_COMPRESSED": "gzip zstd", "LOOTWIRE_WEBSUB_HUBS": hubs}).settings
    assert settings.publish_compressed == ("gzip", "zstd")
    assert settings.websub_hubs == ("https://one.example/", "https://two.example/hub")


@pytest.mark.parametrize(("name", "value"), [("LOG_FORMAT", "xml"), ("FEED_ITEMS", "0"), ("FEED_ITEMS", "many")])
def test_a_value_that_a_setting_cannot_have_is_named(folder: Path, name: str, value: str) -> None:
    assert f"LOOTWIRE_{name} (from environment): " in error(folder, {f"LOOTWIRE_{name}": value})


def test_the_example_names_every_setting_but_each_source_s_address_and_pace() -> None:
    example = Path(__file__).parents[3] / ".env.example"
    named = {line.lstrip("#").partition("=")[0] for line in example.read_text().splitlines() if "=" in line}
    of_sources = {name for name in Settings.model_fields if name.endswith(("_poll_seconds", "_url"))}
    of_people = {"public_url", "database_url", "redis_url", "ping_url", "eventsub_callback_url"}
    names = {variable_name(field) for field in Settings.model_fields}
    assert {variable_name(field) for field in set(Settings.model_fields) - of_sources | of_people} <= named <= names


def test_the_api_is_told_its_names_its_pages_and_its_proxies(folder: Path) -> None:
    environ = {
        "LOOTWIRE_HOSTS": "Drops.lan,[2001:db8::1]",
        "LOOTWIRE_API_ORIGINS": "https://Site.example.org/ http://localhost:3000",
        "LOOTWIRE_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8 2001:db8::/32",
    }

    settings = load(folder, environ).settings

    assert settings.hosts == ("drops.lan", "[2001:db8::1]")
    assert settings.api_origins == ("https://site.example.org", "http://localhost:3000")
    assert [str(each) for each in settings.trusted_proxies] == ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOSTS", "drops.lan:8420"),
        ("HOSTS", "http://drops.lan"),
        ("API_ORIGINS", "*"),
        ("API_ORIGINS", "https://site.example.org/page"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "proxy.lan"),
        ("API_BURST", "0"),
    ],
)
def test_what_the_api_cannot_be_told_is_named(folder: Path, name: str, value: str) -> None:
    assert f"LOOTWIRE_{name}" in error(folder, {f"LOOTWIRE_{name}": value})
