"""Settings of services: from a file, the environment, the command line; strict about names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsError,
)

S = TypeVar("S", bound=BaseSettings)


class SettingsRefused(ValueError):
    """Settings that name something unknown, or a value out of range."""


class Section(BaseModel):
    """What all sections share."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def load_settings(
    settings: type[S], file: Path | None, given: Mapping[str, Any], environment: Mapping[str, str]
) -> S:
    """A service's settings.

    Args:
        settings: what there is to set; its `env_prefix` names its part of the environment.
        file: YAML, or None.
        given: from the command line; stands above all.
        environment: checked for names that are not settings; pydantic reads the values itself.

    Raises:
        SettingsRefused: names the setting, its value and what is allowed.
    """
    _check_names(settings, environment)
    from_file = {} if file is None else _read_yaml(file)

    class Layered(settings):  # type: ignore[valid-type,misc]
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            _ = dotenv_settings, file_secret_settings
            return init_settings, env_settings, InitSettingsSource(settings_cls, from_file)

    try:
        layered: S = Layered(**given)
    except (ValidationError, SettingsError) as error:
        raise SettingsRefused(_explain(error)) from error
    return layered


def _check_names(settings: type[BaseSettings], environment: Mapping[str, str]) -> None:
    """A misspelt variable would otherwise be ignored without a word."""
    prefix = settings.model_config["env_prefix"]
    for name in environment:
        if not name.startswith(prefix):
            continue
        top = name.removeprefix(prefix).split("__")[0].lower()
        if top not in settings.model_fields:
            known = ", ".join(settings.model_fields)
            raise SettingsRefused(f"{name}: unknown setting; known are {known}")


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsRefused(f"{file}: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SettingsRefused(f"{file}: a mapping of settings is expected")
    return {str(name): value for name, value in content.items()}


def _explain(error: ValidationError | SettingsError) -> str:
    if isinstance(error, SettingsError):
        return str(error)
    return "; ".join(
        f"{'.'.join(str(part) for part in each['loc']) or 'settings'}="
        f"{each['input']!r:.100}: {each['msg']}"
        for each in error.errors(include_url=False)
    )
