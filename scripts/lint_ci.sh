#!/bin/sh
# Check every pipeline, here and in the template, and the licences of projects, with tools of a separate
# environment: make lint-ci. The argument is the environment that renders projects.
# They are no part of requirements.lock: nothing that is generated or tested needs them.
set -eu
cd "$(dirname "$0")/.."
venv=build/lint-ci
[ -x "$venv/bin/reuse" ] || {
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet check-jsonschema==0.39.0 reuse==6.2.0 yamllint==1.38.0 zizmor==1.32.0
}
workflows=".github/workflows/*.yml template/.github/workflows/*.yml"
rules='{extends: default, rules: {line-length: disable, document-start: disable, truthy: {check-keys: false}, comments: {min-spaces-from-content: 1}}}'
"$venv/bin/yamllint" --strict -d "$rules" $workflows template/azure-pipelines*.yml template/.gitlab-ci.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows $workflows
# This schema's patterns are not for unicode, and it takes every scalar for a string, as Azure does.
"$venv/bin/check-jsonschema" --builtin-schema vendor.azure-pipelines --regex-variant nonunicode template/azure-pipelines*.yml
"$venv/bin/check-jsonschema" --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci template/.gitlab-ci.yml
# Below medium it asks for `$/` in the place of `./` before a workflow of the same repository, which not every runner knows.
"$venv/bin/zizmor" --offline --quiet --min-severity medium template/.github/workflows
for answers in aws gcp; do
  project=build/lint-ci/$answers
  "$1/bin/python" scripts/render.py "answers/$answers.yml" "$project"
  git init --quiet "$project"
  "$venv/bin/reuse" --root "$project" lint --quiet || { "$venv/bin/reuse" --root "$project" lint; exit 1; }
done
actionlint=$(command -v actionlint || echo "$venv/bin/actionlint")
if [ ! -x "$actionlint" ] && command -v go > /dev/null; then
  GOBIN=$(cd "$venv/bin" && pwd) go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
fi
if [ -x "$actionlint" ]; then
  actionlint=$(cd "$(dirname "$actionlint")" && pwd)/actionlint
  # It looks for called workflows from the root of a repository, so the project's are given one.
  project=build/lint-ci/project
  rm -rf "$project"
  mkdir -p "$project"
  cp -R template/.github "$project"
  git init --quiet "$project"
  "$actionlint"
  (cd "$project" && "$actionlint")
else
  echo "actionlint is not here, nor is Go, which would install it: workflows were not checked with it."
fi
