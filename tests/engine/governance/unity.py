"""A stand-in on loopback for Unity Catalog's model registry, as strict as public sources say that it is.

MLflow's own `UcModelRegistryStore` and the Databricks SDK talk to it. It refuses tags with reserved
characters and writes of a principal without the right to, and leaves tags and aliases out of a search.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

API = "/api/2.0/mlflow/unity-catalog/"
FILES, FOLDERS = "/api/2.0/fs/files", "/api/2.0/fs/directories"
_PAGE = 2


class RefusedError(Exception):
    """What the workspace answers: status, error code and text."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Registry:
    """Models, versions and files; `fail_on` names a call that fails once, `owner` who may write."""

    def __init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.versions: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.fail_on = ""
        self.may_write = True

    def answer(self, method: str, call: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer to one call."""
        self.calls.append(f"{method} {call}")
        if call == self.fail_on:
            self.fail_on = ""
            raise RefusedError(400, "BAD_REQUEST", f"{call} was cut off")
        name = str(asked.get("name", ""))
        if call == "registered-models:is-databricks-sdk-models-artifact-repository-enabled":
            return {"is_databricks_sdk_models_artifact_repository_enabled": True}
        if call == "model-versions/emit-lineage":
            return {}
        if method != "GET" and not self.may_write:
            raise RefusedError(403, "PERMISSION_DENIED", f"User is not an owner of Registered Model {name}")
        if call == "registered-models/create":
            if name in self.models:
                raise RefusedError(409, "RESOURCE_ALREADY_EXISTS", f"{name} exists")
            self.models[name] = {"name": name, "aliases": []}
            return {"registered_model": self.models[name]}
        if call == "model-versions/search":
            return self._search(asked)
        if name not in self.models:
            raise RefusedError(404, "RESOURCE_DOES_NOT_EXIST", f"Registered Model '{name}' does not exist.")
        return self._of_model(method, call, name, asked)

    def _of_model(self, method: str, call: str, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        model, versions = self.models[name], self.versions.setdefault(name, [])
        if call == "registered-models/get":
            return {"registered_model": model}
        if call == "registered-models/alias":
            left = [one for one in model["aliases"] if one["alias"] != asked["alias"]]
            new = [{"alias": asked["alias"], "version": asked["version"]}] if method == "POST" else []
            model["aliases"] = left + new
            return {}
        if call == "model-versions/create":
            kept = ("name", "source", "run_id", "description", "model_id")
            version = {key: asked[key] for key in kept if key in asked}
            version |= {"version": str(len(versions) + 1), "status": "PENDING_REGISTRATION", "tags": []}
            for tag in asked.get("tags", ()):
                _set(version["tags"], tag)
            versions.append(version)
            return {"model_version": version}
        number = int(asked["version"])
        if number > len(versions):
            raise RefusedError(404, "RESOURCE_DOES_NOT_EXIST", f"Version {number} does not exist.")
        version = versions[number - 1]
        if call == "model-versions/finalize":
            version["status"] = "READY"
        elif call == "model-versions/set-tag":
            _set(version["tags"], asked)
        elif call != "model-versions/get":
            raise RefusedError(404, "ENDPOINT_NOT_FOUND", call)
        aliases = [one for one in model["aliases"] if str(one["version"]) == str(number)]
        return {"model_version": {**version, "aliases": aliases}}

    def _search(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        found = re.fullmatch(r"name\s*=\s*'([^']+)'", str(asked.get("filter", "")))
        if found is None:
            raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"Unsupported filter {asked.get('filter')!r}")
        first = int(asked.get("page_token") or 0)
        # What is found has no tags and no aliases.
        listed = [{k: v for k, v in one.items() if k != "tags"} for one in self.versions.get(found[1], [])]
        page: dict[str, Any] = {"model_versions": listed[first : first + _PAGE]}
        return page | ({"next_page_token": str(first + _PAGE)} if first + _PAGE < len(listed) else {})


def _set(tags: list[dict[str, str]], new: Mapping[str, Any]) -> None:
    key, value = str(new["key"]), str(new["value"])
    if re.search(r"[.,\-=/:]", key) or key != key.strip() or not 0 < len(key) <= 255:
        raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"Tag key {key!r} has reserved characters")
    if len(value) > 1000 or value != value.strip():
        raise RefusedError(400, "INVALID_PARAMETER_VALUE", f"Tag value of {key} is too long")
    tags[:] = [tag for tag in tags if tag["key"] != key] + [{"key": key, "value": value}]
    if len(tags) > 50:
        raise RefusedError(400, "INVALID_PARAMETER_VALUE", "more than 50 tags")


@contextmanager
def workspace() -> Iterator[tuple[str, Registry]]:
    """Yield the address of a stand-in and what it keeps."""
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _serve(self) -> None:
            place, length = urlsplit(self.path), int(self.headers.get("Content-Length") or 0)
            sent, path = self.rfile.read(length), unquote(place.path)
            try:
                status, body = self._answer(path, parse_qs(place.query), sent)
            except RefusedError as refused:
                status = refused.status
                body = json.dumps({"error_code": refused.code, "message": str(refused)}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _answer(self, path: str, query: dict[str, list[str]], sent: bytes) -> tuple[int, bytes]:
            if path.startswith(API):
                asked = json.loads(sent) if sent else {key: values[0] for key, values in query.items()}
                return 200, json.dumps(registry.answer(self.command, path.removeprefix(API), asked)).encode()
            if path.startswith(FILES):
                name = path.removeprefix(FILES)
                if self.command == "PUT":
                    registry.files[name] = sent
                    return 204, b""
                return 200, registry.files[name]
            if path.startswith(FOLDERS):
                return self._listed(path.removeprefix(FOLDERS).rstrip("/") + "/")
            raise RefusedError(404, "ENDPOINT_NOT_FOUND", path)

        def _listed(self, folder: str) -> tuple[int, bytes]:
            inside = [name for name in registry.files if name.startswith(folder)]
            if not inside:
                raise RefusedError(404, "NOT_FOUND", folder)
            first = {name.removeprefix(folder).partition("/")[0]: name for name in inside}
            contents = [
                {"path": folder + part, "name": part, "is_directory": folder + part != name}
                for part, name in first.items()
            ]
            return 200, json.dumps({"contents": contents}).encode()

    for verb in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
        setattr(Handler, f"do_{verb}", Handler._serve)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
