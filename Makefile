# make demo, make test: each is enough on a fresh clone. PYTHON=... names another interpreter.
VENV ?= .venv
OTHER_PYTHONS ?= python3.12 python3.13

supported = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c '$(supported)' 2>/dev/null && echo $$p && break; done)
bin := $(VENV)/bin
pip := $(bin)/python -m pip --disable-pip-version-check --quiet
# What an editable installation copies; the package itself is used where it stands.
copied := pyproject.toml model-index.yml fashionkp_mm.pth \
	$(shell find configs tools weights -name __pycache__ -prune -o -type f -print)

.PHONY: setup test demo test-python test-all-pythons clean

setup: $(VENV)/.installed

$(VENV)/.locked: requirements.lock
	@$(PYTHON) -c '$(supported)' 2>/dev/null || { echo "'$(PYTHON)' is not a Python 3.11, 3.12 or 3.13 that runs. Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# The lock is the whole set, so there is nothing to resolve; and no package may be compiled.
	$(pip) install --no-deps --only-binary :all: -r requirements.lock
	@touch $@

$(VENV)/.installed: $(VENV)/.locked $(copied)
	$(pip) install --no-deps --no-build-isolation --force-reinstall --editable .
	@touch $@

test: setup
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/python -m pytest $(PYTEST_ARGS)

demo: setup
	$(bin)/python tools/demo.py

# Another Python, in an environment of its own: make test-python PYTHON=python3.12
test-python:
	$(MAKE) test VENV=build/venv-$(notdir $(PYTHON)) PYTHON=$(PYTHON)

# All but the first, which `make test` runs. Goes on where one fails, and fails in the end.
test-all-pythons:
	@failed=; for python in $(OTHER_PYTHONS); do \
		if ! $$python -c '$(supported)' 2>/dev/null; then \
			failed="$$failed$$python: not installed or does not run, so NOT TESTED\n"; \
		elif ! $(MAKE) test-python PYTHON=$$python; then \
			failed="$$failed$$python: tests failed\n"; \
		else echo "$$python: passed"; fi; \
	done; printf "$$failed"; test -z "$$failed"

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
