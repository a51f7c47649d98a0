# Regulars. `make help` lists what there is.

GO        ?= go
FUNCTIONS := $(notdir $(patsubst %/lambda,%,$(wildcard functions/*/lambda)))
FLAGS     := -tags lambda.norpc -trimpath -buildvcs=false -ldflags "-s -w -buildid="
# One DynamoDB Local (AWS's emulator, fetched on first use) serves a whole run.
DYNAMODB  := $(GO) run ./shared/table/tabletest/dynamodblocal --
STAGE     ?= dev
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20

.DEFAULT_GOAL := help
.PHONY: help run test race check lint build synth smoke gate bench whatif verify fuzz security simulate histories durability nightly conformance deploy setup clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## the whole system on this machine: http://127.0.0.1:8080
	@$(GO) build -o dist/regulars ./infra/local/regulars
	@./dist/regulars run

test: ## all tests, on both engines; needs Java for the second
	CDK_VALIDATION=false $(DYNAMODB) $(GO) test -timeout 20m ./...

# Where goroutines meet; thousands of requests one after the other find no race that the first did not.
RACED  := ./functions/... ./infra/local/... ./shared/program/when ./shared/refresh ./shared/table/... ./shared/web
SERIAL := BadInput|AuthorizationMatrix|MassAssignment|CDNOW|Slips
race: ## what runs side by side, under the race detector
	$(DYNAMODB) $(GO) test -race -vet=off -skip '$(SERIAL)' $(RACED)
	$(DYNAMODB) $(GO) test -race -vet=off ./infra/proof/histories -ops 2000

check: lint test race synth gate ## all that must pass before a change lands

lint: ## vet, staticcheck, formatting
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@unformatted="$$($(GO) tool gofumpt -l events functions infra shared)"; test -z "$$unformatted" || { echo "go tool gofumpt -w" $$unformatted >&2; exit 1; }

build: ## the functions, as they are deployed, into dist/
	@for f in $(FUNCTIONS); do \
	  echo "build $$f" && GOOS=linux GOARCH=arm64 CGO_ENABLED=0 $(GO) build $(FLAGS) -o dist/$$f/bootstrap ./functions/$$f/lambda || exit 1; done

node_modules: package-lock.json
	npm ci --no-audit --no-fund && touch node_modules

synth: node_modules ## the CloudFormation templates of both stages, offline
	npx cdk synth -q -c regulars:stage=dev
	npx cdk synth -q -c regulars:stage=prod -o cdk.out/prod

# What holds data may not be replaced by a deployment.
BASE ?= HEAD
gate: ## fail if a deployment would replace the table or another keeper of data
	@if git cat-file -e $(BASE):infra/testdata/regulars-dev.template.json 2>/dev/null; then \
	  git show $(BASE):infra/testdata/regulars-dev.template.json > cdk.out/base.json && \
	  ! NO_COLOR=1 npx cdk diff regulars-dev --app cdk.out --template cdk.out/base.json 2>&1 \
	    | grep -E '^\[[-~]\] AWS::(DynamoDB|SecretsManager|Events|SQS|KMS)::.*(replaced?|destroy|orphan)$$'; \
	else echo "gate: $(BASE) has no template to compare with"; fi

smoke: ## every binary that ships answers real events through the Lambda Runtime API
	$(DYNAMODB) $(GO) test -count=1 -v ./infra/runtimeapi

bench: ## what everything costs: request units, bytes, allocations, CPU, start-up
	$(DYNAMODB) $(GO) run ./infra/bench

PROGRAM ?= draft.yaml
whatif: ## what a draft of the program would have given (PROGRAM=draft.yaml, BASE=, HISTORY=orders.ndjson, OUT=whatif)
	@$(GO) run ./infra/local/regulars whatif -program $(PROGRAM) $(if $(BASE),-base $(BASE)) $(if $(HISTORY),-history $(HISTORY)) $(if $(OUT),-out $(OUT))

verify: ## recompute every ledger of the local table (stop `make run` first)
	@$(GO) run ./infra/local/regulars verify

# Counts of executions: go1.26 can fail a run that its own clock ends (go.dev/issue/75804).
FUZZTIME ?= 30000x
fuzz: ## every decoder for FUZZTIME (30000x) executions each
	@grep -roE '^func Fuzz[A-Za-z]+' events functions infra shared --include='*_test.go' | sed 's/:func / /' | sort | while read -r file target; do \
	  $(GO) test -vet=off ./$$(dirname $$file) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) </dev/null || exit 1; done

security: ## who may do what, all hostile input, signatures, tokens and keys
	$(GO) test ./shared/web ./shared/storefront ./shared/strict ./infra/topology
	$(GO) test ./infra/local/regulars -run Key
	$(GO) test ./infra/local -every -run 'Matrix|MassAssignment|Upload|WhoAsks|WhoMay|BadInput|LookAlike|Signature|Storefront|Token|Key|Scopes'

simulate: OPS ?= 1000000
simulate: SEED ?= 1
simulate: ## a seeded simulation under every fault, against a model (SEED=, OPS=)
	@$(GO) build -o dist/simulate ./infra/proof/simulate && ./dist/simulate -seed $(SEED) -ops $(OPS)

histories: OPS ?= 100000
histories: ## concurrent requests over HTTP, checked to be linearizable (OPS=, SEED=)
	$(DYNAMODB) $(GO) test ./infra/proof/histories -count=1 -v -timeout 60m -ops $(OPS) $(if $(SEED),-seed $(SEED))

durability: ROUNDS ?= 100
durability: ## kill -9 under load, of the host and of its database (ROUNDS=, SEED=)
	$(DYNAMODB) $(GO) test ./infra/proof/durability -count=1 -v -timeout 60m -rounds $(ROUNDS) $(if $(SEED),-seed $(SEED))

nightly: ## all proofs at their full length, some hours
	$(MAKE) simulate OPS=10000000 SEED=$$(date +%Y%m%d)
	$(MAKE) histories OPS=1000000
	$(MAKE) durability ROUNDS=1000
	$(MAKE) fuzz FUZZTIME=1000000x
	$(MAKE) security

URL    ?= http://127.0.0.1:8080
KEY    ?= sk_local
SECRET ?= $(if $(findstring //127.0.0.1,$(URL)),local-webhook-secret)
conformance: ## judge a running system by the scenarios (URL=, KEY=, SECRET=; YES=1 if it is not on this machine)
	@$(GO) run ./infra/proof/conformance -url '$(URL)' -key '$(KEY)' -secret '$(SECRET)' $(if $(YES),-yes)

deploy: node_modules ## the stack, with the AWS credentials of the shell (STAGE=dev|prod)
	npx cdk deploy -c regulars:stage=$(STAGE) --outputs-file cdk.out/outputs.json
	@echo "next: make setup"

setup: ## after deploy: make the program, its first key and the connections
	@$(GO) run ./infra/local/regulars setup cdk.out/outputs.json

clean: ## remove what was built
	rm -rf dist cdk.out node_modules
