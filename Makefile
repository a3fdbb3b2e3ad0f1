# Every target sets up .venv by itself; nothing but Python 3.11+ (with venv) and make is needed.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
.DEFAULT_GOAL := help

.PHONY: help report test test-quick check bench docs baseline example-city dictionary accuracy wheel clean

help:            ## list the targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("placeforecast needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev -e .
	@touch $(READY)

report: $(READY) ## write the report of the example city to out/, in Chinese and English, in four formats
	@$(MAKE) --no-print-directory -j2 out/example_city out/example_city_en

.PHONY: out/example_city out/example_city_en
out/example_city: LANGUAGE = zh
out/example_city_en: LANGUAGE = en
out/example_city out/example_city_en: $(READY)
	@$(BIN)/placeforecast report city --out $@ --language $(LANGUAGE) --formats html,docx,xlsx,pdf \
		--trajectories 200

test: $(READY)   ## run all tests
	@$(BIN)/python -m pytest -n 2

test-quick: $(READY) ## run the tests that take less than a few seconds
	@$(BIN)/python -m pytest -n 2 -m 'not slow'

check: $(READY)  ## lint, format and type checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY)  ## print timings, as ratios within one run
	@$(BIN)/python benchmarks/run.py

docs: $(READY)   ## build the documentation into docs/_build/html
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group docs
	@$(BIN)/python -m sphinx -E -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

baseline: $(READY) ## rewrite the pinned results of the example city (on purpose only)
	@$(BIN)/python tests/baseline/make_baseline.py

example-city: $(READY) ## make data/example_city again from its script
	@$(BIN)/python data/make_example_city.py

dictionary: $(READY) ## write data/README.md from the vocabulary
	@$(BIN)/python -c 'from pathlib import Path; from placeforecast.tables.dictionary import data_dictionary; Path("data/README.md").write_text(data_dictionary(), encoding="utf-8")'

accuracy: $(READY) ## write docs/accuracy.md; ENGLAND=folder of the published tables
	@$(BIN)/python docs/make_accuracy.py $(ENGLAND)

wheel: $(READY)  ## build the wheel into dist/
	@$(BIN)/python -m build --wheel --outdir dist .

clean:           ## remove everything the targets made
	rm -rf .venv out dist docs/_build
