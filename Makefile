.DEFAULT_GOAL := help
tool    := go tool -modfile=tools.mod
cluster := go -C test/cluster run .
lint    := tool -modfile=$(CURDIR)/tools.mod golangci-lint
config  := -c $(CURDIR)/.golangci.yaml
modules := test/cluster test/cluster/tools/collector examples/otel-go
build   := CGO_ENABLED=0 go build -trimpath -tags grpcnotrace,nomsgpack -ldflags "-s -w -X main.version=$(shell git describe --tags --always --dirty 2>/dev/null || echo dev)"
gen     := $(tool) controller-gen

help: ## Show this help
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/sonde
	$(build) -o bin/sonde ./cmd/sonde

image: build ## Build the image as bin/sonde.tar (no container engine needed)
	$(cluster) image --name docker.io/sonde-dev/sonde:dev --binary $(CURDIR)/bin/sonde:/sonde --user 65532:65532 --output $(CURDIR)/bin/sonde.tar

images-otel: ## Build the images of the examples that use an OpenTelemetry SDK, and of a Collector
	CGO_ENABLED=0 go -C examples/otel-go build -trimpath -ldflags "-s -w" -o $(CURDIR)/bin/example-otel-go .
	$(cluster) image --name docker.io/sonde-dev/example-otel-go:dev --binary $(CURDIR)/bin/example-otel-go:/check --user 65532:65532 --output $(CURDIR)/bin/example-otel-go.tar
	$(cluster) image --name docker.io/sonde-dev/example-otel-node:dev --node $(CURDIR)/examples/otel-node --user 65532:65532 --output $(CURDIR)/bin/example-otel-node.tar
	binary=$$($(cluster) tool collector) && $(cluster) image --name docker.io/sonde-dev/collector:demo --binary $$binary:/collector --user 65532:65532 --output $(CURDIR)/bin/collector.tar

generate: ## Deepcopy, CRD and RBAC from the Go types
	$(gen) object crd paths=./api/... output:crd:dir=deploy/crd
	$(gen) rbac:roleName=sonde-controller,fileName=controller.yaml paths=./controller output:rbac:dir=deploy/rbac
	$(gen) rbac:roleName=sonde-receiver,fileName=receiver.yaml paths=./controller/run output:rbac:dir=deploy/rbac

fmt: ## Format
	$(tool) golangci-lint fmt ./...
	for m in $(modules); do go -C $$m $(lint) fmt $(config) ./... || exit 1; done

lint: ## Lint (make fmt mends some of it)
	$(tool) golangci-lint run ./...
	for m in $(modules); do go -C $$m $(lint) run $(config) ./... || exit 1; done

verify: generate fmt ## Fail if generated files, formatting or go.mod are stale (then commit what it changed)
	go mod tidy
	git diff --exit-code

test: test-unit ## Every test: units, then on a real Kubernetes that is set up for it
	$(cluster) run -- go test -count=1 -p 1 -timeout 30m -tags e2e ./test/apiserver/... ./test/durability/... ./test/e2e/...

test-unit: ## Unit tests with the race detector
	$(cluster) packages gcc libc6-dev
	go test -race ./...
	for m in $(modules); do go -C $$m test ./... || exit 1; done

bench: ## Benchmarks, fit for benchstat
	go test -run='^$$' -bench=. -benchmem -count=6 ./...

cluster-up: ## Bring up a real Kubernetes on this machine (KUBECONFIG .cluster/kubeconfig)
	$(cluster) up

cluster-down: ## Take it down again
	$(cluster) down

demo: ## Set everything up and show the main job
	go run ./test/demo

demo-down: cluster-down ## Remove the demo with its cluster

ci: verify lint test ## What CI runs

.PHONY: help build image images-otel generate fmt lint verify test test-unit bench cluster-up cluster-down demo demo-down ci
