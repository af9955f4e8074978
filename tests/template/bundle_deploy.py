"""Deploy a bundle through the real SDK, as the Databricks CLI would: what is there and equal stays as it is.

It stands for no CLI: order and names are those of the bundle, and only kinds that `minilake` has come up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.service import catalog, iam, jobs

import bundle
from bundle_node import plain

# What the CLI fills in by itself.
USER = {"userName": "jane.doe@example.com", "short_name": "jane_doe"}


class Deployment:
    """One deployment of a target; `changes` lists what was created or changed."""

    def __init__(
        self, client: WorkspaceClient, read: bundle.Bundle, target: str, principal: str = ""
    ) -> None:
        """Keep the workspace, the bundle, and who runs jobs where the target does not say."""
        self._client, self.changes = client, list[str]()
        deployed = read.of(target)
        known = bundle.values(deployed, target) | {"workspace.file_path": "/Workspace/files"}
        known |= {f"workspace.current_user.{name}": value for name, value in USER.items()}
        if known.get("var.service_principal", "none") == "none":
            known["var.service_principal"] = principal
        self._known = known
        self._kinds: dict[str, dict[str, Any]] = plain(deployed["resources"])
        for kind, named in self._kinds.items():
            for name, resource in named.items():
                for key in ("name", "catalog_name", "schema_name"):
                    if key in resource:
                        known[f"resources.{kind}.{name}.{key}"] = str(resource[key])

    def run(self) -> list[str]:
        """Deploy everything and return what changed."""
        for name, schema in self._of("schemas"):
            full = f"{schema['catalog_name']}.{schema['name']}"
            if full not in {one.full_name for one in self._client.schemas.list(schema["catalog_name"])}:
                self._client.schemas.create(**schema)
                self.changes.append(f"schemas.{name}")
            self._grant("SCHEMA", full, self._kinds["schemas"][name])
        for name, volume in self._of("volumes"):
            there = self._client.volumes.list(volume["catalog_name"], volume["schema_name"])
            full = f"{volume['catalog_name']}.{volume['schema_name']}.{volume['name']}"
            if full not in {one.full_name for one in there}:
                self._client.volumes.create(
                    **{**volume, "volume_type": catalog.VolumeType(volume["volume_type"])}
                )
                self.changes.append(f"volumes.{name}")
            self._grant("VOLUME", full, self._kinds["volumes"][name])
        for name, policy in self._of("cluster_policies"):
            there_by_name = {one.name: one for one in self._client.cluster_policies.list()}
            found = there_by_name.get(policy["name"])
            if found is None:
                made = self._client.cluster_policies.create(**policy)
                self.changes.append(f"cluster_policies.{name}")
                policy_id = made.policy_id
            else:
                policy_id = found.policy_id
                if json.loads(found.definition or "{}") != json.loads(policy["definition"]):
                    self.changes.append(f"cluster_policies.{name}")
            self._known[f"resources.cluster_policies.{name}.id"] = str(policy_id)
            self._permit("cluster-policies", str(policy_id), self._kinds["cluster_policies"][name])
        for name, job in self._of("jobs"):
            wanted = jobs.JobSettings.from_dict(job)
            listed = [
                one for one in self._client.jobs.list() if one.settings and one.settings.name == wanted.name
            ]
            if not listed:
                given = {key: getattr(wanted, key) for key in wanted.as_dict()}
                made_id = self._client.jobs.create(**given).job_id
                self.changes.append(f"jobs.{name}")
                self._permit("jobs", str(made_id), self._kinds["jobs"][name])
                continue
            number = listed[0].job_id
            assert number is not None
            settings = self._client.jobs.get(number).settings
            assert settings is not None
            if not _holds(settings.as_dict(), wanted.as_dict()):
                self._client.jobs.reset(number, wanted)
                self.changes.append(f"jobs.{name}")
            self._permit("jobs", str(number), self._kinds["jobs"][name])
        return self.changes

    def _of(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, resource in self._kinds.get(kind, {}).items():
            kept = {key: value for key, value in resource.items() if key not in ("grants", "permissions")}
            yield name, self._resolved(kept)

    def _grant(self, kind: str, full: str, resource: dict[str, Any]) -> None:
        there = {
            one.principal: set(one.privileges or ())
            for one in self._client.grants.get(kind, full).privilege_assignments or ()
        }
        for grant in self._resolved(resource["grants"]):
            wanted = {catalog.Privilege(name) for name in grant["privileges"]}
            if not wanted <= there.get(grant["principal"], set()):
                change = catalog.PermissionsChange(principal=grant["principal"], add=sorted(wanted, key=str))
                self._client.grants.update(kind, full, changes=[change])
                self.changes.append(f"grants on {full} to {grant['principal']}")

    def _permit(self, kind: str, number: str, resource: dict[str, Any]) -> None:
        """Set the permissions of an object, all of them at once, unless it has exactly these."""
        entries = self._resolved(resource.get("permissions", []))
        wanted = {(_whose(one), str(one["level"])) for one in entries}
        there = self._client.permissions.get(kind, number).access_control_list or ()
        found = {
            (_whose(one.as_dict()), level.permission_level.value)
            for one in there
            for level in one.all_permissions or ()
            if level.permission_level
        }
        if wanted != found:
            lists = [
                iam.AccessControlRequest(
                    permission_level=iam.PermissionLevel(one["level"]),
                    **{key: value for key, value in one.items() if key != "level"},
                )
                for one in entries
            ]
            self._client.permissions.set(kind, number, access_control_list=lists)
            self.changes.append(f"permissions on {kind} {number}")

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._resolved(inner) for inner in value]
        if not isinstance(value, str):
            return value
        for _ in range(4):
            value = re.sub(r"\$\{([^}]*)\}", lambda found: self._known.get(found[1], found[0]), value)
        assert "${" not in value, value
        return int(value) if re.fullmatch(r"\d+", value) else value


def _whose(entry: dict[str, Any]) -> str:
    names = ("group_name", "user_name", "service_principal_name")
    return next(str(entry[name]) for name in names if name in entry)


def _holds(there: Any, wanted: Any) -> bool:
    """Return whether a workspace has what is wanted; what it fills in by itself is no change."""
    if isinstance(wanted, dict):
        return isinstance(there, dict) and all(_holds(there.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and len(there) == len(wanted) and all(map(_holds, there, wanted))
    return bool(there == wanted)
