#!/bin/sh
# Check every pipeline, here and in the template, with tools of its own environment: make lint-ci.
# They are no part of requirements.lock: nothing that is generated or tested needs them.
set -eu
cd "$(dirname "$0")/.."
venv=build/lint-ci
[ -x "$venv/bin/yamllint" ] || {
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet yamllint check-jsonschema zizmor
}
workflows=".github/workflows/*.yml template/.github/workflows/*.yml"
rules='{extends: default, rules: {line-length: disable, document-start: disable, truthy: {check-keys: false}, comments: {min-spaces-from-content: 1}}}'
"$venv/bin/yamllint" --strict -d "$rules" $workflows template/azure-pipelines.yml template/.gitlab-ci.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows $workflows
"$venv/bin/check-jsonschema" --builtin-schema vendor.azure-pipelines template/azure-pipelines.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci template/.gitlab-ci.yml
"$venv/bin/zizmor" --offline --quiet template/.github/workflows
if command -v actionlint > /dev/null; then
  actionlint $workflows
else
  echo "actionlint is not here: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"
fi
