# Two commands set everything up and run: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
# Pinned for the project's own environment; the package itself takes torch>=2.11.
TORCH := torch==2.14.1 torchvision==0.29.1

.PHONY: demo page test test-slow test-faults test-fuzz install clean bench bench-aux-gradients bench-explain bench-fashion-mnist bench-input-pipeline bench-mutation bench-transfer bench-ucr bench-ucr-pretraining
.DEFAULT_GOAL := demo

demo: install
	rm -rf runs/demo
	$(BIN)/googlenet train digits --out runs/demo
	$(BIN)/googlenet evaluate runs/demo digits
	$(BIN)/googlenet predict runs/demo runs/demo/examples --top 3
	$(BIN)/googlenet page runs/demo --out runs/demo/page.html || test ! -x "$$(command -v npm)"
	rm -rf runs/gunpoint
	$(BIN)/googlenet train gunpoint --out runs/gunpoint
	$(BIN)/googlenet evaluate runs/gunpoint gunpoint

page: web/node_modules  # what googlenet page writes, but for its networks
	cd web && npm run --silent build

web/node_modules: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --ignore-scripts
	touch $@

test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadgroup

test-slow: install
	$(BIN)/pytest -m slow --timeout 3600

test-faults: install  # kills, full disks, lost memory and the like; ten minutes of one core, on Linux; as root also real full disks
	$(BIN)/python tests/faults --save

# Seconds for each reader of foreign files; two are tried side by side. Ten minutes: make test-fuzz SECONDS=600
SECONDS := 60
test-fuzz: install
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]'
	$(BIN)/python tests/fuzz/run.py --seconds $(SECONDS) --save

install: $(BIN)/installed

$(BIN)/installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

# Figures: each target prints what its script measured and writes the result file beside the script.
PHOTOS := ../shared/data/photos
bench: install  # speed: training, prediction, a folder of pictures to labels, how cost grows, and what a training reaches
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/inference.py $(PHOTOS)
	$(BIN)/python benchmarks/end_to_end.py $(PHOTOS)
	$(BIN)/python benchmarks/input_pipeline.py $(PHOTOS)
	$(BIN)/python benchmarks/first_answer.py
	$(BIN)/python benchmarks/scaling.py
	$(MAKE) bench-fashion-mnist

bench-explain: install page  # figures and pictures of docs/explain.md, and the page's times; half an hour
	$(BIN)/python benchmarks/explain.py
	$(BIN)/python benchmarks/features.py
	$(BIN)/python benchmarks/features.py --figures
	$(BIN)/python benchmarks/page.py

bench-fashion-mnist: install  # the command, three times half an hour; then what a core minute buys, beside two peers, two hours
	$(BIN)/python benchmarks/fashion_mnist.py --minutes 30 0 1 2
	$(BIN)/python benchmarks/minutes.py --data fashion-mnist --minutes 10 60

bench-aux-gradients: install
	$(BIN)/python benchmarks/aux_gradients.py

bench-input-pipeline: install
	$(BIN)/python benchmarks/input_pipeline.py $(PHOTOS)

bench-mutation: install  # how many small faults the tests notice; hours
	$(BIN)/python -m pip install --quiet 'mutmut>=3.8'
	$(BIN)/python benchmarks/mutation.py

bench-ucr: install
	$(BIN)/python benchmarks/ucr.py --resume
	$(BIN)/python benchmarks/signal_training.py

bench-transfer: install
	$(BIN)/python benchmarks/transfer.py

PRETRAINING := $(BIN)/python benchmarks/ucr_pretraining.py
bench-ucr-pretraining: install  # four folds and their table, then the weights that the package ships
	mkdir -p runs/ucr-pretraining
	for fold in 0 1 2 3; do \
		$(PRETRAINING) pretrain --fold $$fold --out runs/ucr-pretraining/$$fold.safetensors && \
		$(PRETRAINING) evaluate --fold $$fold runs/ucr-pretraining/$$fold.safetensors || exit 1; \
	done
	$(PRETRAINING) pretrain --out runs/ucr-pretraining/all.safetensors

clean:
	rm -rf .venv runs dist
