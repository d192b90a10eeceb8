# `make demo` shows Argux at work; `make test` proves it. Both install what they need into .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := $(VENV)/.peers-installed
ARGS ?=
# Test processes at a time: two more than cores, because many tests wait for others. `make test JOBS=1`: one by one.
JOBS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 2)))
# Where the environment forbids bytecode, each of the many processes would compile every library anew.
export PYTHONDONTWRITEBYTECODE :=
# Databases that are thrown away need no disk to wait for.
export TMPDIR := $(if $(TMPDIR),$(TMPDIR),$(shell test -d /dev/shm -a -w /dev/shm && echo /dev/shm || echo /tmp))
PYTEST = $(BIN)/pytest --numprocesses $(JOBS) --dist worksteal --durations=25

.PHONY: help install demo test unit check format bench evals screenshots tools lock clean

help:
	@echo "make demo             watch a bad deploy being noticed, explained and fixed (ARGS=--auto presses the buttons)"
	@echo "make test             every test; make unit: the unit tests alone; make check: style, types, arrows"
	@echo "make bench            the figures (ONLY=nab,rs_ms for a part, DATA=DIR for other data; docs/benchmarks.md)"
	@echo "make evals            how good its answers are (ONLY=chain, DATA=DIR, ANSWERS=FILE; docs/evaluation.md)"

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Argux needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing into $(VENV) (once) ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || true
	@if $(BIN)/python -m uv --version >/dev/null 2>&1; then \
		$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --requirement requirements.lock && \
		$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --no-deps --editable . ; \
	else \
		$(BIN)/python -m pip install --quiet --requirement requirements.lock && \
		$(BIN)/python -m pip install --quiet --no-deps --editable . ; \
	fi
	@touch $@

demo: $(STAMP)
	@exec $(BIN)/argux demo $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

tools: $(STAMP)
	@$(BIN)/python tests/tools.py

test: $(STAMP) tools
	$(PYTEST) $(ARGS)

unit: $(STAMP)
	$(PYTEST) tests/unit $(ARGS)

bench: $(STAMP) $(PEERS)
	@$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only "$(ONLY)") $(if $(DATA),--data "$(DATA)")

evals: $(STAMP)
	@$(BIN)/python -m tests.evals $(if $(ONLY),--only "$(ONLY)") $(if $(DATA),--data "$(DATA)") \
		$(if $(ANSWERS),--answers "$(ANSWERS)") $(if $(SEEDS),--seeds "$(SEEDS)") $(if $(SCORE),--score "$(SCORE)")

screenshots: $(STAMP) tools
	@$(BIN)/python -m tests.screenshots $(if $(DIR),"$(DIR)",$(TMPDIR)/argux-screenshots)

# Only measured against, never used: drain3 pins libraries of 2021 that it does not need, hence --no-deps and no lock.
$(PEERS): $(STAMP)
	@for installer in "uv pip install --python $(BIN)/python" "pip install --disable-pip-version-check"; do \
		$(BIN)/python -m $$installer --quiet --no-deps drain3==0.9.11 cachetools >&2 && touch $@ && break; \
	done; test -e $@ || echo "drain3 could not be installed (see above): its figures will have no peer" >&2

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP)
	$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) .demo .argux build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
