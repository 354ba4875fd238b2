# One command each, on an empty clone and on a used one.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Passed on through the environment, so that no quote or dollar sign in it is the shell's.
export Q ?= what was 2023 bilateral trade?

.PHONY: run ask eval gate test screenshots lint format constraints clean

run: $(VENV)/installed ## set up, answer the demo question, serve the chat page
	@$(BIN)/rag ingest || test $$? -eq 2
	@$(BIN)/rag ask -- "$$Q" || test $$? -eq 3
	@exec $(BIN)/rag chat

ask: $(VENV)/installed ## answer Q="..." from the articles
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

test: $(VENV)/tested $(AXE) ## lint, types and tests, as CI runs them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

screenshots: $(VENV)/tested ## pictures of the chat page in build/screenshots
	$(BIN)/python -m evals.screenshots build/screenshots

format: $(VENV)/tested
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Exact versions with hashes; made anew after a change of pyproject.toml.
constraints: $(VENV)/tested
	$(BIN)/pip-compile --quiet --upgrade --extra test --generate-hashes --strip-extras \
	  --allow-unsafe --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --no-emit-trusted-host -o .ci/constraints.txt pyproject.toml

clean: ## remove the virtual environment; stores and the joined model stay
	rm -rf $(VENV)

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# A stamp is written last, so that an install cut short is taken up again.
# pip takes no hashes for a folder: the versions alone go here, and the hashes to CI.
$(VENV)/installed: $(BIN)/pip pyproject.toml .ci/constraints.txt
	@sed -n 's/^\([^ #]*==[^ ]*\).*/\1/p' .ci/constraints.txt > $(VENV)/versions.txt
	$(BIN)/pip install --disable-pip-version-check -c $(VENV)/versions.txt -e .
	@touch $@

$(VENV)/tested: $(BIN)/pip pyproject.toml .ci/constraints.txt
	$(BIN)/pip install --disable-pip-version-check --require-hashes -r .ci/constraints.txt
	$(BIN)/pip install --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/installed
