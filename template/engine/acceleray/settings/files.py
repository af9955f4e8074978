"""Reading settings: conf/base.yml, then conf/<environment>.yml, then what one run wants different."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from acceleray.errors import PortfolioError
from acceleray.settings.bundle_names import bundle_names, filled
from acceleray.settings.sections import Section, Settings
from acceleray.settings.topology import default_remote

# Files in conf/ that are no environment: what all share, columns of holdings, stress definitions, limits.
_SHARED = ("base", "book", "stress", "limits")
# Names that settings had in earlier releases, which go on working.
_BEFORE = {"backtest.historical_window_d": "backtest.minimum_history_d"}
_NAME = "var."
_TAKEN_AS_TEXT = (".path", ".table", ".state", ".stage", ".machine", ".cache", ".name", ".master", ".remote")


def load(
    project_dir: Path,
    environment: str = "local",
    overrides: Iterable[str] = (),
    **top_level: Any,
) -> Settings:
    """Return the settings of one environment with overrides of the form `section.key=value` applied.

    An override `var.NAME=value` says what `${var.NAME}` is in conf/, see `bundle_names`.

    Raises:
        PortfolioError: a file is missing or malformed, a name is unknown, or a value is out of range.
    """
    conf = project_dir / "conf"
    merged: dict[str, Any] = {}
    for name in ("base", environment):
        _merge(merged, _read(conf / f"{name}.yml", conf))
    names, chosen = _split(overrides)
    for override in chosen:
        _merge(merged, _parse(override))
    if "${" in str(merged):
        known = bundle_names(project_dir, environment) | names
        merged = filled(merged, known, conf / f"{environment}.yml")
    _merge(merged, {key: value for key, value in top_level.items() if value is not None})
    merged.update(project_dir=project_dir, environment=environment)
    if merged.get("profile") == "connect":
        # Where the settings leave it open, what is there already.
        spark = merged["spark"] = dict(merged.get("spark") or {})
        spark["remote"] = spark.get("remote") or default_remote(os.environ)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise PortfolioError(_explain(error)) from None


def known_names() -> list[str]:
    """Return every setting as `section.key`, in order of declaration."""
    names: list[str] = []
    for key, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            names += [f"{key}.{inner}" for inner in section.model_fields]
        else:
            names.append(key)
    return names


def _read(path: Path, conf: Path) -> dict[str, Any]:
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in conf.glob("*.yml") if file.stem not in _SHARED))
        raise PortfolioError(
            f"No settings file {path}; environments here: {known or 'none (is this a project folder?)'}."
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PortfolioError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise PortfolioError(f"{path} must hold sections with keys, as in conf/base.yml.")
    return _renamed(content)


def _renamed(content: dict[str, Any]) -> dict[str, Any]:
    """Return the same settings under the names they have now."""
    for before, now in _BEFORE.items():
        section, _, key = before.partition(".")
        held = content.get(section)
        if isinstance(held, dict) and key in held:
            held.setdefault(now.partition(".")[2], held.pop(key))
    return content


def _split(overrides: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Return names of the deployment, and the overrides that are none."""
    every = list(overrides)
    pairs = (one.removeprefix(_NAME).partition("=") for one in every if one.startswith(_NAME))
    return {name: value for name, _, value in pairs}, [one for one in every if not one.startswith(_NAME)]


def _parse(override: str) -> dict[str, Any]:
    name, equals, text = override.partition("=")
    name = _BEFORE.get(name.strip(), name.strip())
    if not equals or not name:
        raise PortfolioError(f"--set needs section.key=value, not '{override}'.")
    if name == "environment":
        raise PortfolioError("The environment decides which files of conf/ are read: use --environment NAME.")
    if name not in known_names() or name == "project_dir":
        close = difflib.get_close_matches(name, known_names(), n=1)
        hint = f"did you mean {close[0]}?" if close else "see conf/base.yml for the names."
        raise PortfolioError(f"Unknown setting '{name}'; {hint}")
    try:
        # A path or a name is taken as it stands: YAML would read `no` or `1e3` as something else.
        value = text if name.endswith(_TAKEN_AS_TEXT) else yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    section, dot, key = name.partition(".")
    return {section: {key: value}} if dot else {section: value}


def _merge(base: dict[str, Any], extra: Mapping[str, Any]) -> None:
    for key, value in extra.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        close = difflib.get_close_matches(name, known_names(), n=1)
        return f"Unknown setting '{name}' in conf/; " + (
            f"did you mean {close[0]}?" if close else "remove it."
        )
    return f"Setting {name} = {first.get('input')!r} is not usable: {first['msg']}."
