"""Settings taken from the bundle: names that differ between deployments.

`${var.NAME}` in conf/*.yml is a variable of databricks.yml. Jobs pass their deployment's values as
`--set var.NAME=value`; elsewhere, as in a notebook opened by hand, they are read from the target of
databricks.yml that this folder was deployed to, or else from the default one that uses this environment.
"""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from acceleray.errors import PortfolioError

_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
# Where `databricks bundle deploy` puts files: below the folder of the deploying user.
_DEPLOYED = re.compile(r"/Users/(?P<user>[^/]+)/(?:\.bundle/[^/]+/(?P<target>[^/]+)/files)?")
_DEEPEST = 5


def filled(content: Any, names: Mapping[str, str], path: Path) -> Any:
    """Return settings with each `${var.NAME}` replaced.

    Raises:
        PortfolioError: a variable has no value; the message names file and variable.
    """
    if isinstance(content, dict):
        return {key: filled(value, names, path) for key, value in content.items()}
    if isinstance(content, list):
        return [filled(value, names, path) for value in content]
    if not isinstance(content, str) or "${" not in content:
        return content
    for reference in _REFERENCE.findall(content):
        if reference.removeprefix("var.") not in names or not reference.startswith("var."):
            said = "${" + reference + "}"
            raise PortfolioError(
                f"{path} has {said}, for which databricks.yml has no value; write it into the file."
            )
    return _REFERENCE.sub(lambda found: names[found[1].removeprefix("var.")], content)


def bundle_names(project_dir: Path, environment: str) -> dict[str, str]:
    """Return the values of the bundle's variables in the target that this folder stands for.

    A variable whose value cannot be told here is left out; there is none where there is no databricks.yml.
    """
    try:
        bundle = yaml.safe_load((project_dir / "databricks.yml").read_text(encoding="utf-8"))
        targets = bundle["targets"]
        defaults = {
            name: variable["default"]
            for name, variable in bundle["variables"].items()
            if isinstance(variable, dict) and "default" in variable
        }
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        return {}
    where = _DEPLOYED.search(project_dir.absolute().as_posix() + "/")
    # On a machine of one's own no table of a workspace can be reached, whatever its name.
    user = where["user"] if where else getpass.getuser()
    target = _target(targets, environment, where["target"] if where else None)
    given = {
        "bundle.target": target,
        "bundle.name": bundle.get("bundle", {}).get("name", ""),
        "workspace.current_user.userName": user,
        "workspace.current_user.short_name": short_name(user),
    }
    values = defaults | ((targets.get(target) or {}).get("variables") or {})
    given |= {f"var.{name}": str(value) for name, value in values.items()}
    resolved = {name: _resolved(given[f"var.{name}"], given) for name in values}
    return {name: value for name, value in resolved.items() if "${" not in value}


def short_name(user: str) -> str:
    """Return the bundle's `current_user.short_name`: no domain, underscores for special characters."""
    return re.sub(r"[\W_]+", "_", user.partition("@")[0].lower()).strip("_")


def _target(targets: Mapping[str, Any], environment: str, deployed_to: str | None) -> str:
    def uses(name: str) -> bool:
        given = ((targets[name] or {}).get("variables") or {}).get("environment")
        return str(given or name) == environment

    candidates = [name for name in targets if uses(name)]
    candidates.sort(key=lambda name: (name != deployed_to, not (targets[name] or {}).get("default")))
    return candidates[0] if candidates else environment


def _resolved(text: str, given: Mapping[str, str]) -> str:
    for _ in range(_DEEPEST):
        text = _REFERENCE.sub(lambda found: given.get(found[1], found[0]), text)
    return text
