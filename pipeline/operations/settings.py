"""The settings, each with its origin."""

import msgspec
from pydantic import SecretStr

from models.printable import on_a_line
from pipeline.runtime.settings import LoadedSettings, Settings, variable_name

HIDDEN = "********"


class SettingAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A setting as people write it. `origin` is `environment`, a file's path or `default`; secrets show as stars."""

    setting: str
    value: str
    origin: str


def list_settings(loaded: LoadedSettings) -> list[SettingAnswer]:
    """Return each setting, in the order in which they are described."""
    return [_setting(loaded, field) for field in Settings.model_fields]


def _setting(loaded: LoadedSettings, field: str) -> SettingAnswer:
    value = getattr(loaded.settings, field)
    if field == "publish_dir":
        value = loaded.settings.published
    return SettingAnswer(setting=variable_name(field), value=_shown(value), origin=loaded.origins[field])


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return HIDDEN
    return on_a_line(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
