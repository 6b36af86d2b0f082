"""What the demo sets for itself."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.demo.services import DemoServices
from pipeline.demo.show import demo_variables
from pipeline.runtime.settings import load_settings


def test_no_service_is_asked_on_another_machine(tmp_path: Path) -> None:
    with DemoServices(datetime(2031, 5, 4, tzinfo=UTC)) as services:
        variables = demo_variables(services, tmp_path)

    settings = load_settings(variables, env_file=tmp_path / "none", toml_file=tmp_path / "none").settings
    addresses = {name: value for name, value in settings if name.endswith("_url") and isinstance(value, str)}
    assert {"igdb_url", "gql_url", "eventsub_url"} <= addresses.keys()
    assert {name: value for name, value in addresses.items() if urlsplit(value).hostname != "127.0.0.1"} == {}
