# The one door for people and CI. `make` lists what there is.

CARGO    ?= cargo
PYTHON   ?= python3
# Cargo features of the checks, e.g. FEATURES="--features linesman/failpoints".
FEATURES ?=
# Bundles written by our own encoder and held against the XSD.
BUNDLES  ?= 200
# Crashes of a long run; every `make test` has 20.
CRASHES  ?= 100

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help tools build demo test lint units crashes xsd schemas doc bench bench-policies fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools: ## Install the NATS server, the Python and the JavaScript packages of the tests into .tools
	@$(PYTHON) tests/tools/install.py

build: ## Build the `linesman` command, optimised
	$(CARGO) build --release --locked -p linesman

demo: tools ## Run the demo; ONCE=1 runs it once and prints nothing but JSON
	@$(CARGO) run --release --locked -p linesman -- demo $(if $(ONCE),--once --json)

test: tools lint units xsd doc ## Check everything, cheap checks first

lint: ## Check bans, format and lints of all targets, benches included
	@$(PYTHON) tests/tools/check_bans.py
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked $(FEATURES) -- -D warnings

units: tools ## Run the tests
	$(CARGO) test --workspace --locked $(FEATURES)

crashes: tools ## Kill the engine CRASHES times (100)
	LINESMAN_CRASHES=$(CRASHES) $(CARGO) test --locked -p linesman-tests --test system -- --nocapture crashes::nothing_is_lost

xsd: tools ## Hold bundles of our own encoder against the XSD
	@dir=$$(mktemp -d) && trap 'rm -r "$$dir"' EXIT && \
	$(CARGO) run --locked -p linesman-schemas --example emit_bundles -- $(BUNDLES) "$$dir" && \
	.tools/venv/bin/python tests/tools/validate_jmb.py schemas/jmb.xsd "$$dir"

schemas: ## Write schemas/json and schemas/asyncapi.json anew from the types
	LINESMAN_PUBLISH=1 $(CARGO) test --locked -p linesman-schemas --test published

doc: ## Build the documentation
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

bench: tools ## Measure the verbs one by one, then the whole against the raw stream
	$(CARGO) bench --locked -p linesman-benches
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench end-to-end

bench-policies: tools ## Measure how the cost of a message grows with the number of policies
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench policies

fmt: ## Format the code
	$(CARGO) fmt --all

clean: ## Remove what was built, tools included
	$(CARGO) clean
	rm -rf .tools
