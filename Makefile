# The one door for people and CI. `make` lists what there is.

CARGO    ?= cargo
PYTHON   ?= python3
# Cargo features of the checks, e.g. FEATURES="--features linesman/failpoints".
FEATURES ?=
# Bundles written by our own encoder and held against the XSD.
BUNDLES  ?= 200
# Crashes of a long run, and kills amid collection; every `make test` has 20, and 6.
CRASHES  ?= 100
COLLECTIONS ?= 100
# Seconds of each target of `make fuzz`; every `make test` has a great many runs without coverage.
FUZZ_S   ?= 60

# One choice of packages and features for all that is tested, or cargo builds the same crates anew for each.
AS_TESTED    = --workspace --locked $(FEATURES)
EMIT_BUNDLES = $(or $(CARGO_TARGET_DIR),target)/debug/examples/emit_bundles

# How many tests run at a time: most wait for servers, and few for the processor.
export RUST_TEST_THREADS ?= 3

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help tools build demo test lint units crashes record-logs record-store xsd schemas asyncapi dashboards fuzz doc bench \
        bench-policies bench-managers bench-memory bench-fairness bench-substitution bench-redact bench-impact \
        bench-framing bench-collect bench-poll fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tools: ## Install the NATS server, the Python and the JavaScript packages of the tests into .tools
	@$(PYTHON) tests/tools/install.py

build: ## Build the `linesman` command, optimised
	$(CARGO) build --release --locked -p linesman

demo: tools ## Run the demo; ONCE=1 runs it once and prints nothing but JSON
	@$(CARGO) run --release --locked -p linesman -- demo $(if $(ONCE),--once --json)

test: tools lint units xsd asyncapi dashboards doc ## Check everything, cheap checks first

lint: ## Check bans, format and lints of all targets, benches included
	@$(PYTHON) tests/tools/check_bans.py
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked $(FEATURES) -- -D warnings

units: tools ## Run the tests
	$(CARGO) test $(AS_TESTED)

crashes: tools ## Kill the engine CRASHES times (100), and COLLECTIONS times (100) while it collects from a device
	LINESMAN_CRASHES=$(CRASHES) $(CARGO) test --locked -p linesman-tests --test system -- --nocapture crashes::nothing_is_lost
	LINESMAN_COLLECTIONS=$(COLLECTIONS) $(CARGO) test --locked -p linesman-tests --test system -- --nocapture \
	collecting::an_engine_that_is_killed_at_each_step

record-logs: ## Make the recorded logs in tests/fixtures/logs anew
	rm -f tests/fixtures/logs/*/books/*.json
	$(CARGO) run --locked -p linesman-tests --bin record-logs -- tests/fixtures/logs

record-store: ## Write a store of format FORMAT with the present program into tests/fixtures/stores
	@test -n "$(FORMAT)" && test ! -e tests/fixtures/stores/$(FORMAT)
	LINESMAN_STORE=$(CURDIR)/tests/fixtures/stores/$(FORMAT)/state \
	$(CARGO) test --locked -p linesman-tests --test recorded stores::a_store_is_written_on_demand

xsd: tools ## Hold bundles of our own encoder against the XSD
	$(CARGO) build $(AS_TESTED) --examples
	@dir=$$(mktemp -d) && trap 'rm -r "$$dir"' EXIT && $(EMIT_BUNDLES) $(BUNDLES) "$$dir" && \
	.tools/venv/bin/python tests/tools/validate_jmb.py schemas/jmb.xsd "$$dir"

schemas: ## Write schemas/json and schemas/asyncapi.json anew from the types
	LINESMAN_PUBLISH=1 $(CARGO) test $(AS_TESTED) --test published

# The official schema comes from npm only; where that is missing the tests still check the document's own references.
asyncapi: ## Hold schemas/asyncapi.json against the official schema of AsyncAPI; skipped without npm
	@if ! command -v npm > /dev/null; then echo "asyncapi: SKIPPED, there is no npm" >&2; exit 0; fi; \
	dir=$$(mktemp -d) && trap 'rm -r "$$dir"' EXIT && cp tests/tools/asyncapi/*.json "$$dir" && \
	npm ci --prefix "$$dir" --ignore-scripts --no-audit --no-fund --silent && \
	LINESMAN_ASYNCAPI="$$dir/node_modules/@asyncapi/specs/schemas/3.0.0.json" \
	$(CARGO) test $(AS_TESTED) --test published the_document_is_asyncapi -- --ignored

# Grafana's type comes from npm only; what panels ask for is tried by the tests.
dashboards: ## Hold deploy/grafana against Grafana's own type of a dashboard; skipped without npm
	@if ! command -v npm > /dev/null; then echo "dashboards: SKIPPED, there is no npm" >&2; exit 0; fi; \
	dir=$$(mktemp -d) && trap 'rm -r "$$dir"' EXIT && cp tests/tools/grafana/* "$$dir" && \
	npm ci --prefix "$$dir" --ignore-scripts --no-audit --no-fund --silent && \
	for file in deploy/grafana/*.json; do \
	{ echo 'import type { Written } from "./written";' && echo 'export const dashboard: Written =' && cat "$$file"; } \
	> "$$dir/$$(basename "$$file" .json).ts" || exit 1; done && \
	"$$dir/node_modules/.bin/tsc" --noEmit --strict --skipLibCheck --target es2022 --module esnext --moduleResolution bundler "$$dir"/*.ts && \
	echo "dashboards: Grafana's type has them" >&2

fuzz: ## Fuzz the decoder, and what devices send, guided by coverage for FUZZ_S seconds each (60); needs cargo-fuzz and a nightly compiler
	$(CARGO) build $(AS_TESTED) --examples
	$(EMIT_BUNDLES) $(BUNDLES) schemas/fuzz/corpus/bundle
	cd schemas && cargo +nightly fuzz run bundle -- -max_total_time=$(FUZZ_S)
	cd connectors && for target in framing reply packets; do \
	cargo +nightly fuzz run $$target -- -max_total_time=$(FUZZ_S) || exit 1; done

doc: ## Build the documentation
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

bench: tools ## Measure the verbs one by one, then the whole against the raw stream
	$(CARGO) bench --locked -p linesman-benches
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench end-to-end

bench-policies: tools ## Measure how the cost of a message grows with the number of policies
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench policies

bench-fairness: tools ## Measure what others wait while one organization floods IN
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench fairness

bench-substitution: tools ## Measure the values of an access line, and rendering 100,000 of them
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench substitution

bench-redact: ## Measure what taking addresses and secrets out of text costs
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench redact

bench-framing: ## Measure how fast the end of a NETCONF message is found
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench framing

bench-collect: tools ## Measure how fast a wave of bundles is collected from devices, against reading it
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench collect

bench-poll: tools ## Measure what looking at 1,000 devices every 30 seconds costs
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench poll

bench-impact: ## Measure which of 1,000 messages concern which of 100,000 devices
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench impact

bench-memory: ## Measure the memory of 10,000,000 host-event-IDs, and deciding beside them
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench memory

bench-managers: ## Measure an authorisation and a list among a million managers of 100,000 enterprises
	$(CARGO) run --release --locked -p linesman-benches --bin linesman-bench managers

fmt: ## Format the code
	$(CARGO) fmt --all

clean: ## Remove what was built, tools included
	$(CARGO) clean
	rm -rf .tools
