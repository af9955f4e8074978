#!/bin/sh
# Choose versions of the project's own libraries, under the pins of the engine:
#     lock.sh FOLDER cpu|gpu
# What the engine or the Databricks runtime brings is left out, so that an update of the engine brings its own pins.
set -eu

uv=$1/bin/uv
omitted() {
    sed -n 's/^\([a-z0-9][a-z0-9.-]*\).*/--no-emit-package \1/p' "$@"
}

head='# Libraries of your own, beside those of engine/; `make lock` writes them from pyproject.toml.'
# shellcheck disable=SC2046
{ echo "$head"; "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-annotate --no-header --constraints engine/requirements.lock $(omitted engine/requirements.lock) pyproject.toml; \
    } > requirements.lock.new
# shellcheck disable=SC2046
{ echo "$head"; "$uv" pip compile --quiet --python-version 3.12 --python-platform x86_64-manylinux_2_28 --no-emit-index-url \
    --no-annotate --no-header --constraints engine/libraries/runtime.txt --constraints "engine/libraries/$2.txt" \
    $(omitted engine/libraries/runtime.txt "engine/libraries/$2.txt") pyproject.toml; \
    } > libraries/requirements.txt.new
mv requirements.lock.new requirements.lock
mv libraries/requirements.txt.new libraries/requirements.txt
