# The one entry for people and for CI. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
BIN := .venv/bin
UV = UV_SYSTEM_CERTS=1 $(BIN)/uv
TRAIN_BIN := .train-venv/bin
DATA ?= ../shared/data
PORT ?= 8000
SAMPLE ?= samples/axial-glioma.png
export UV_LINK_MODE ?= copy
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PACKAGES := libs/service-kit gateway classifier-service segmenter-service metadata-service libs/neurogate model-export
# model-export needs PyTorch's types: `make test-models` checks it, in the training environment.
SOURCES := $(addsuffix /src,$(filter-out model-export,$(PACKAGES)))
EDITABLE := $(foreach package,$(PACKAGES),-e ./$(package))

.PHONY: help setup run stop test check format web screenshots stack stack-down bench bench-volume dicom-table scaling kill-test train-env models volume-models evaluation test-models test-openvino test-triton constraints docs clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.ready ## the environment: .venv with every pinned package

.venv/.ready: constraints.txt pyproject.toml $(addsuffix /pyproject.toml,$(PACKAGES)) $(MAKEFILE_LIST)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' 2>/dev/null || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv, or make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { echo "The venv module is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet uv
	@$(UV) pip install --quiet --python $(BIN)/python --constraints constraints.txt --group dev $(EDITABLE)
	@touch $@

run: setup ## start the stack in the background, analyze a sample, say where to look
	@$(BIN)/neurogate up --detach --port $(PORT)
	@$(BIN)/neurogate analyze $(SAMPLE) --url http://127.0.0.1:$(PORT) --out out
	@echo "The API and its pages: http://127.0.0.1:$(PORT)   (make stop ends it)"

stop: setup ## end what `make run` started
	@$(BIN)/neurogate down

test: setup ## all tests that need neither PyTorch nor Docker; brings the Chromium that the page's need
	@$(BIN)/python -m tests.page.chromium
	@$(BIN)/pytest tests --ignore=tests/models --ignore=tests/stack --ignore=tests/triton --ignore=tests/openvino

check: setup ## format, lint, types, import contracts, generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports
	@$(BIN)/python -m neurogate.reference --check docs
	@$(BIN)/model-export cards --check

format: setup ## rewrite to the house format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup ## write the generated pages and pictures again
	@$(BIN)/python -m neurogate.reference docs
	@$(BIN)/neurogate analyze $(SAMPLE) --out .cache/docs >/dev/null
	@mkdir -p docs/images && cp .cache/docs/*/overlay.png .cache/docs/*/heatmap.png docs/images/

screenshots: setup ## docs/images/page: the page's states, of bundled samples alone
	@$(BIN)/python -m tests.page.chromium
	@$(BIN)/python -m tests.page.screenshots --output docs/images/page

web: ## the page, for those who change it: types of the API, checks, build (Node 20 or newer)
	@cd gateway/web && npm install --no-save --silent && npm run --silent check && npm run --silent build

stack: setup ## build the images, start them in a Docker engine, run the integration tests against them
	@tests/stack/run.sh

stack-down: ## stop what `make stack` left running
	@tests/stack/stop.sh

test-openvino: setup ## OpenVINO's build of onnxruntime beside the CPU provider
	@tests/openvino/install.sh
	@.cache/openvino-venv/bin/python -m pytest tests/openvino

test-triton: setup ## the real tritonserver on the unchanged models/
	@tests/triton/install.sh
	@$(BIN)/pytest tests/triton

bench: setup ## CPU of the servers against the raw engine, and against two plain stacks
	@$(BIN)/python -m tests.bench --output docs/benchmarks
	@$(BIN)/python -m tests.bench.refusals --output docs/benchmarks

bench-volume: setup ## a four-sequence volume through the services: time, memory, CPU against the raw engine
	@$(BIN)/python -m tests.bench.volume --output docs/benchmarks

scaling: setup ## docs/scaling.md: what a day of studies needs, from the benches' figures and the manifests
	@$(BIN)/python -m tests.bench.storage --output docs/benchmarks >/dev/null
	@$(BIN)/python -m tests.bench.scaling --output docs >/dev/null

dicom-table: setup ## every folder of real DICOM files below DATA: decoded, or why it is refused
	@$(BIN)/python -m tests.bench.dicom_table --data $(DATA)/dicom --output docs/benchmarks

kill-test: setup ## 300 jobs, 3 workers, 30 times kill -9 of workers, gateway and Redis: nothing lost, no result twice
	@$(BIN)/python -m tests.kill --output docs/benchmarks

train-env: $(TRAIN_BIN)/.ready ## PyTorch and what training needs, in an environment of its own

$(TRAIN_BIN)/.ready: model-export/pyproject.toml model-export/train-constraints.txt
	@test -x $(TRAIN_BIN)/python || $(PYTHON) -m venv .train-venv
	@$(TRAIN_BIN)/python -m pip install --quiet --constraint model-export/train-constraints.txt -e ./libs/service-kit[inference] -e ./model-export[train]
	@touch $@

models: train-env ## train five folds, all patients and the zoo; predict, publish, quantize, evaluate (hours on two cores)
	@$(TRAIN_BIN)/model-export train defaults --fold folds --data $(DATA)
	@$(TRAIN_BIN)/model-export train defaults --fold all --data $(DATA)
	@$(TRAIN_BIN)/model-export train defaults --fold leaky --allow-leak --data $(DATA)
	@$(TRAIN_BIN)/model-export train zoo controls --fold 0 --data $(DATA)
	@$(TRAIN_BIN)/model-export predict defaults --fold folds --data $(DATA)
	@$(TRAIN_BIN)/model-export predict defaults --fold leaky --data $(DATA)
	@$(TRAIN_BIN)/model-export predict zoo controls --fold 0 --data $(DATA)
	@$(TRAIN_BIN)/model-export publish defaults --fold all --data $(DATA)
	@$(TRAIN_BIN)/model-export publish zoo --fold 0 --data $(DATA)
	@$(TRAIN_BIN)/model-export quantize all --data $(DATA)
	@$(MAKE) evaluation

volume-models: train-env ## the 3D networks: two folds, all cases; predict, choose the window, publish (hours on two cores)
	@$(TRAIN_BIN)/model-export train volumes --fold 0 --data $(DATA)
	@$(TRAIN_BIN)/model-export train volumes --fold 1 --data $(DATA)
	@$(TRAIN_BIN)/model-export train unet3d --fold all --data $(DATA)
	@$(TRAIN_BIN)/model-export predict volumes --fold 0 --data $(DATA)
	@$(TRAIN_BIN)/model-export predict volumes --fold 1 --data $(DATA)
	@$(TRAIN_BIN)/model-export evaluate --only brats --only brats-window --data $(DATA)
	@$(TRAIN_BIN)/model-export publish unet3d --fold all --data $(DATA)
	@$(TRAIN_BIN)/model-export bands unet3d --data $(DATA)

evaluation: train-env ## judge what was predicted: report, cards, limits of the verdict, novelty, bands
	@$(TRAIN_BIN)/model-export judge-limits --data $(DATA)
	@$(TRAIN_BIN)/model-export novelty --data $(DATA) --out docs/evaluation
	@$(TRAIN_BIN)/model-export bands seg-flair-film --data $(DATA)
	@$(TRAIN_BIN)/model-export evaluate --data $(DATA)
	@$(TRAIN_BIN)/model-export cards

test-models: setup train-env ## what needs PyTorch: architectures, export parity, a tiny training
	@$(TRAIN_BIN)/mypy model-export/src
	@$(TRAIN_BIN)/pytest tests/models

constraints: setup ## pin what is installed, without addresses
	@$(UV) pip freeze --python $(BIN)/python --exclude-editable | grep -v -E '^(uv|pip|setuptools)==' > constraints.txt

clean: ## remove environments and caches
	@rm -rf .venv .train-venv .cache .neurogate out .mypy_cache .ruff_cache .pytest_cache
