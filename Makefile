# One command each, on an empty clone and on a used one.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Passed on through the environment, so that no quote or dollar sign in it is the shell's.
export Q ?= How large was trade between China and Kazakhstan in 2023?

# make run MODEL=NAME is RAG_MODEL=NAME; the embedded model is an extra, of 1.1 GB.
ifeq ($(origin MODEL),command line)
export RAG_MODEL := $(MODEL)
endif
INSTALLED := $(VENV)/$(if $(filter embedded,$(RAG_MODEL)),embedded,installed)

.PHONY: run ask eval gate check test lint types coverage screenshots format constraints clean

run: $(INSTALLED) ## set up, answer the demo question, serve the chat page
	@$(BIN)/rag ingest || test $$? -eq 2
	@$(BIN)/rag ask -- "$$Q" || test $$? -eq 3
	@exec $(BIN)/rag chat

ask: $(INSTALLED) ## answer Q="..." from the articles
	@$(BIN)/rag ask -- "$$Q"

export N ?= 60
eval: $(VENV)/tested ## measure the chatbot of tutorials and rag on N questions, side by side
	@$(BIN)/rag eval run --system tutorial --system rag --limit "$$N"

# The embedded default quotes; a few questions are worded by the embedded model as well.
gate: $(VENV)/tested ## refuse a change that makes answers worse than the accepted ones
	@out=$$(mktemp -d) && trap 'rm -rf "$$out"' EXIT && \
	RAG_MODEL=embedded $(BIN)/rag eval run --no-cache --out "$$out/quotes" && \
	$(BIN)/rag eval gate "$$out/quotes" --baseline evals/baseline.json && \
	RAG_MODEL=embedded RAG_ANSWERS=words $(BIN)/rag eval run --no-cache --limit 8 --out "$$out/words" && \
	$(BIN)/rag eval gate "$$out/words" --baseline evals/baseline-words.json

# axe-core is tests/browser's one need from npm; without npm its tests are skipped.
AXE := tests/browser/node_modules/.package-lock.json
$(AXE): tests/browser/package-lock.json
	@if command -v npm >/dev/null; then \
	  cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; \
	else echo "no npm: the page is not checked by axe-core; install Node to do so"; fi

test: lint types $(AXE) ## lint, types and tests, as CI runs them
	$(BIN)/pytest --durations=15

check: lint types ## lint, types and the tests that take a minute together
	$(BIN)/pytest -q -m "not browser and not model and not slow"

lint: $(VENV)/tested ## style, the direction of imports, Dockerfile and compose.yaml
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

types: $(VENV)/tested ## mypy, strictly
	$(BIN)/mypy

coverage: $(VENV)/tested ## which lines of rag the tests without a browser reach
	$(BIN)/pytest -q -m "not browser" --cov --cov-report=term:skip-covered --durations=15

screenshots: $(VENV)/tested ## pictures of the chat page in build/screenshots
	$(BIN)/python -m evals.screenshots build/screenshots

format: $(VENV)/tested
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Exact versions with hashes, after a change of pyproject.toml; UPGRADE=--upgrade takes the newest.
constraints: $(VENV)/tested
	$(BIN)/pip-compile --quiet $(UPGRADE) --extra test --generate-hashes --strip-extras \
	  --allow-unsafe --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --no-emit-trusted-host -o .ci/constraints.txt pyproject.toml
	@# Without the project itself, which the extra "test" names, and its path.
	@sed '/^quoted-rag @/d; /^#/d' .ci/constraints.txt > $(VENV)/constraints.txt
	@mv $(VENV)/constraints.txt .ci/constraints.txt

clean: ## remove the virtual environment; stores and the joined model stay
	rm -rf $(VENV)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is " + sys.version.split()[0] + "; name one by make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

# A stamp is written last, so that an install cut short is taken up again.
# pip takes no hashes for a folder: the versions alone go here, and the hashes, of Python 3.11, to CI.
$(VENV)/installed: PROJECT := .
$(VENV)/embedded: PROJECT := .[embedded]
$(VENV)/tested: PROJECT := .[test]
$(VENV)/installed $(VENV)/embedded $(VENV)/tested: $(BIN)/pip pyproject.toml .ci/constraints.txt
ifdef CI
	$(BIN)/pip install --disable-pip-version-check --require-hashes -r .ci/constraints.txt
	$(BIN)/pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
else
	@sed -n 's/^\([^ #]*==[^ ]*\).*/\1/p' .ci/constraints.txt > $(VENV)/versions.txt
	$(BIN)/pip install --disable-pip-version-check -c $(VENV)/versions.txt -e "$(PROJECT)"
endif
	@touch $@ $(if $(filter %/tested,$@),$(VENV)/installed $(VENV)/embedded)
