# Two commands do all the set-up: `make demo` (the main job on simulated data) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
TARGET := cp312-torch2.10-cu128

.PHONY: demo test test-wheels lint clean

$(BIN)/spectramind: requirements-dev.txt setup.cfg pyproject.toml
	$(PYTHON) -c "import sys; assert (3, 11) <= sys.version_info < (3, 14), 'Python 3.11 to 3.13 needed; set PYTHON='"
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -r requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: $(BIN)/spectramind
	rm -rf $(DEMO)
	$(BIN)/spectramind simulate --out $(DEMO)/data --train 40 --test 16
	$(BIN)/spectramind train --data $(DEMO)/data --work $(DEMO) model=v50_small training.epochs=30
	$(BIN)/python build_dataset.py build --target $(TARGET) --without-cuda --out $(DEMO)/dataset
	$(BIN)/spectramind dry-run kernels/submit --data $(DEMO)/data --dataset $(DEMO)/dataset --dataset $(DEMO)/model --work $(DEMO)
	$(BIN)/spectramind diagnose --data $(DEMO)/data --work $(DEMO)
	$(BIN)/spectramind score --truth $(DEMO)/data/truth/test.csv --submission $(DEMO)/submission.csv

test: $(BIN)/spectramind
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n auto

test-wheels: $(BIN)/spectramind
	$(BIN)/python -m pytest -m wheels tests/wheels

lint: $(BIN)/spectramind
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(DEMO) dist build *.egg-info
