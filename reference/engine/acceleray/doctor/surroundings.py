"""Limits of the machine: processors, folders, proxies, certificates, package mirrors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from acceleray.doctor.finding import Finding
from acceleray.engines import machine_checks
from acceleray.engines.processes import allowance
from acceleray.engines.spark.jars import without_login
from acceleray.settings import Settings

# Read by requests and conda, Python and Java's import of its certificates, curl and Git, pip.
CERTIFICATES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "PIP_CERT")
PROXIES = ("https_proxy", "http_proxy", "all_proxy")


def processors(settings: Settings) -> Finding:
    """Return whether a run would start more than this process may use."""
    there, allowed = os.cpu_count() or 1, allowance.processors()
    if allowed >= there:
        return Finding("ok", "Processors", f"{there}, all of them allowed")
    text = f"{allowed} of {there} allowed, by affinity or the quota of a container"
    asked = {"spark.cores": settings.spark.cores, "ray.workers": settings.ray.workers}
    if settings.profile == "local" and (more := [name for name, value in asked.items() if value > allowed]):
        return Finding("note", "Processors", f"{text}; lower {' and '.join(more)} to {allowed}")
    return Finding("ok", "Processors", text)


def cache(settings: Settings) -> Finding:
    """Return whether what is fetched once, and compiled code, can be kept."""
    if problem := machine_checks.unwritable_cache(settings):
        return Finding("missing", "Cache", problem)
    return Finding("ok", "Cache", f"{settings.cache_dir} can be written")


def temporary_folder() -> Finding:
    """Return whether Java and Ray can load what they unpack into the temporary folder."""
    if problem := machine_checks.unusable_temporary_folder():
        return Finding("missing", "Native libraries", problem)
    return Finding("ok", "Native libraries", f"can be loaded from {allowance.temporary_folder()}")


def network(environ: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Yield what stands between this machine and the network by its environment; nothing is fetched."""
    named = {name.lower(): value for name, value in environ.items() if value}
    for name in PROXIES:
        if value := named.get(name):
            shown = without_login(value)
            yield Finding("ok", "Proxy", f"{shown} by {name.upper()}, for pip, Git and the Delta jars")
            break
    for name in CERTIFICATES:
        value = environ.get(name)
        if not value:
            continue
        if not os.path.exists(value):
            detail = f"{name} is {value}, which does not exist; set it to the certificates of your company"
            yield Finding("missing", "Certificates", detail)
        else:
            yield Finding("ok", "Certificates", f"{value} by {name}")
    if index := environ.get("PIP_INDEX_URL"):
        shown = without_login(index)
        yield Finding("ok", "Package mirror", f"{shown} by PIP_INDEX_URL")
