# Two commands do all the set-up: `make demo` (the main job on simulated data) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
TARGET := cp312-torch2.10-cu128

.PHONY: demo docs test test-wheels test-image rehearse lint check clean

# pip is silent while it unpacks, so a line every 8 s counts what is there.
$(BIN)/spectramind: requirements-dev.txt setup.cfg pyproject.toml
	@$(PYTHON) -c "import sys; assert (3, 11) <= sys.version_info < (3, 14), 'Python 3.11 to 3.13 needed; set PYTHON='"
	@test -d $(VENV) || { echo "making $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); }
	@pinned=$$(grep -c == requirements-dev.txt); echo "installing $$pinned packages; torch alone is 0.2 GB for CPUs, 3 GB with CUDA"; \
	( while sleep 8; do echo "  $$(ls -d $(VENV)/lib/python3*/site-packages/*.dist-info | wc -l) of about $$pinned are there"; done ) & \
	counting=$$!; trap "kill $$counting" EXIT; $(BIN)/pip install -r requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(BIN)/spectramind
	rm -rf $(DEMO)
	$(BIN)/spectramind simulate --out $(DEMO)/data --train 40 --test 16
	$(BIN)/spectramind train --data $(DEMO)/data --work $(DEMO)
	$(BIN)/python build_dataset.py build --target $(TARGET) --without-cuda --out $(DEMO)/dataset
	$(BIN)/spectramind dry-run kernels/submit --data $(DEMO)/data --dataset $(DEMO)/dataset --dataset $(DEMO)/model --work $(DEMO)
	$(BIN)/spectramind diagnose --data $(DEMO)/data --work $(DEMO)
	$(BIN)/python docs/picture.py $(DEMO) $(DEMO)/picture.png
	$(BIN)/spectramind score --truth $(DEMO)/data/truth/test.csv --submission $(DEMO)/submission.csv
	@echo "picture $(DEMO)/picture.png, report $(DEMO)/report.html, submission $(DEMO)/submission.csv"

# The demo's kernel once more, in the versions of Kaggle's image (its torch is 3 GB to fetch, once).
rehearse: $(BIN)/spectramind | $(DEMO)/submission.csv
	$(BIN)/spectramind dry-run kernels/submit --image exact --data $(DEMO)/data --dataset $(DEMO)/dataset --dataset $(DEMO)/model --work $(DEMO)/rehearse

$(DEMO)/submission.csv:
	$(MAKE) demo

test: check
	$(BIN)/python -m pytest -n auto

test-wheels: $(BIN)/spectramind
	$(BIN)/python -m pytest -m wheels tests/wheels

# The tests in the versions of Kaggle's image: what fails there fails on Kaggle.
test-image: $(BIN)/spectramind
	python=$$($(BIN)/python build_dataset.py image --target $(TARGET) --tests) && \
	PATH=$$(dirname $$python):$$PATH $$python -m pytest -n auto

# Style and types, changing nothing.
check: $(BIN)/spectramind
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python

# The page of all settings, the tutorial's notebook; README's picture comes from the demo: python docs/picture.py demo docs/demo.png
docs: $(BIN)/spectramind
	$(BIN)/python docs/write_configuration.py
	$(BIN)/python docs/write_tutorial.py

lint: $(BIN)/spectramind
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/basedpyright --pythonpath $(BIN)/python

clean:
	rm -rf $(DEMO) dist build *.egg-info
