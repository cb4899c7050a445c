# make run     the demo: a shop's year, on http://127.0.0.1:8080
# make test    installs what the tests need if absent, then runs them all
# make check   what CI runs: lint, then test
# make bench   every bench, one JSON line each
# make ui      builds the web UI anew, from ui/src into ui/dist
# make eval    our figures beside published ones; holdout intervals over 200 seeds
# make race    nearly all packages under the race detector, a quarter of an hour
# make chaos   kills at named points and random instants, 200 rounds
# make dist    archives to hand out, in dist/
# make clean   removes what was built and fetched here

GOFUMPT_VERSION     := v0.12.0
STATICCHECK_VERSION := v0.8.2

# Packages in which goroutines meet, and which rest neither on SQLite, three minutes of
# compiling for the detector alone, nor on the log's server: make test runs them under it.
RACE := /internal/(audience|drafts|engine|erase|eventlog(/memlog)?|hooks|imports|inbound|intake|interest|keys|live|loader|mailcatcher|people|schedule|sender|site|store/memory|suggest)$$

# Packages whose tests replay, compute or run JavaScript so much that the race
# detector would take minutes: make race leaves them out, make test begins with them.
SLOW := /internal/core/(measure|insight(/intent|/persona|/value)?)$$|/internal/(arch|eval|predict|sources/table)$$|/internal/(demo|program|run|bench)$$|/internal/studio/mjml$$|/cmd/rapport$$|/test/(mail|faults)$$

BENCHES := log engine http freshness dispatch campaign service import start
SEEDS   := 200
ROUNDS  := 200

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BIN     := bin/rapport
SDK     := test/sdk/node_modules/.package-lock.json
MAIL    := test/mail/node_modules/.package-lock.json
UI      := ui/node_modules/.package-lock.json

.PHONY: run build ui test check lint need packages bench eval race chaos dist clean

run: build
	$(BIN) demo

# Go knows what is up to date better than make does.
build:
	go build -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/rapport

need:
	@scripts/need.sh

# npm writes the file last, so it is newer than the lock when all is there.
$(SDK): test/sdk/package.json test/sdk/package-lock.json test/sdk/.npmrc
	cd test/sdk && npm ci --no-progress
	@touch $@

$(MAIL): test/mail/package.json test/mail/package-lock.json test/mail/.npmrc
	cd test/mail && npm ci --no-progress
	@touch $@

$(UI): ui/package.json ui/package-lock.json ui/.npmrc
	cd ui && npm ci --no-progress
	@touch $@

packages: $(SDK) $(MAIL) $(UI)

# What it makes is checked in, so that go build alone makes the product.
ui: $(UI)
	cd ui && npm run --silent build

test: need
	@$(MAKE) --no-print-directory --jobs=4 packages build
	@RACE='$(RACE)' SLOW='$(SLOW)' scripts/test.sh $(BIN)

check: lint test

lint:
	@tool=$$(scripts/tool.sh gofumpt mvdan.cc/gofumpt $(GOFUMPT_VERSION)) && \
	  wrong=$$($$tool -l .) && \
	  if [ -n "$$wrong" ]; then echo "lint: not formatted; run .bin/gofumpt-$(GOFUMPT_VERSION) -w on:"; echo "$$wrong"; exit 1; fi
	go vet ./...
	@tool=$$(scripts/tool.sh staticcheck honnef.co/go/tools/cmd/staticcheck $(STATICCHECK_VERSION)) && \
	  echo "staticcheck ./..." && $$tool ./...

bench: build
	@for b in $(BENCHES); do $(BIN) bench $$b --json || exit 1; done

eval:
	@scripts/long.sh TestEval RAPPORT_EVAL $(SEEDS)

race:
	go list ./... | grep -v -E '$(SLOW)' | xargs go test -race -timeout 30m

chaos: build
	@scripts/long.sh TestChaos RAPPORT_CHAOS $(ROUNDS)

dist:
	@scripts/dist.sh $(VERSION)

clean:
	rm -rf bin dist .bin test/sdk/node_modules test/mail/node_modules ui/node_modules
