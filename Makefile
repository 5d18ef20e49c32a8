# Two commands do all the set-up: `make demo` (the main job on simulated data) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo
TARGET := cp312-torch2.10-cu128
# A user whom the machine does not know (docker run --user 1234) has no home, and setuptools stops without one.
export HOME := $(or $(HOME),$(CURDIR)/$(VENV))

.PHONY: pytest demo docs test test-wheels test-image rehearse lint check style types site clean

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
	@echo
	@echo "picture     $(DEMO)/picture.png"
	@echo "report      $(DEMO)/report.html"
	@echo "submission  $(DEMO)/submission.csv"
	@$(BIN)/spectramind score --truth $(DEMO)/data/truth/test.csv --submission $(DEMO)/submission.csv --one-depth $(DEMO)

# The demo's kernel once more, in the versions of Kaggle's image (its torch is 3 GB to fetch, once).
rehearse: $(BIN)/spectramind | $(DEMO)/submission.csv
	$(BIN)/spectramind dry-run kernels/submit --image exact --data $(DEMO)/data --dataset $(DEMO)/dataset --dataset $(DEMO)/model --work $(DEMO)/rehearse

$(DEMO)/submission.csv:
	$(MAKE) demo

# Style, types and the site beside the tests: one program each, which leaves the other cores idle.
test: $(BIN)/spectramind
	$(MAKE) --jobs 2 --no-print-directory check pytest

# By files: what the tests of a file share is made once and not by every worker.
pytest: $(BIN)/spectramind
	$(BIN)/python -m pytest -n auto --dist loadfile

test-wheels: $(BIN)/spectramind
	$(BIN)/python -m pytest -m wheels tests/wheels

# The tests in the versions of Kaggle's image: what fails there fails on Kaggle.
test-image: $(BIN)/spectramind
	python=$$($(BIN)/python build_dataset.py image --target $(TARGET) --tests) && \
	PATH=$$(dirname $$python):$$PATH $$python -m pytest -n auto --dist loadfile

# Style, types and the site, changing nothing.
check: style types site

style: $(BIN)/spectramind
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(BIN)/spectramind
	$(BIN)/basedpyright --pythonpath $(BIN)/python

# The pages that are written from others, then the site (site/index.html). Two pages have pictures from runs:
# python docs/picture.py demo docs/demo.png, python docs/write_tutorial.py
docs: $(BIN)/spectramind
	$(BIN)/python docs/write_configuration.py
	$(BIN)/python benchmarks/write_results.py
	$(MAKE) site

# Warnings are errors, and nothing is fetched.
site: $(BIN)/spectramind
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

lint: $(BIN)/spectramind
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/basedpyright --pythonpath $(BIN)/python

clean:
	rm -rf $(DEMO) dist build site *.egg-info
