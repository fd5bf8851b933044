package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/test/cluster/internal/build"
	"github.com/sonde-dev/sonde/test/cluster/internal/cluster"
)

// modulePath names our module in its go.mod.
const modulePath = "module github.com/sonde-dev/sonde/test/cluster"

// environment is what each command is given by the process.
type environment struct {
	// module is the folder of test/cluster, workdir the caller's.
	module, workdir string
	cache           *build.Cache
	progress        *build.Progress
	stdout, stderr  io.Writer
}

func newEnvironment(getenv func(string) string, stdout, stderr io.Writer) (environment, error) {
	here, err := os.Getwd()
	if err != nil {
		return environment{}, err
	}
	module, err := findModule(here)
	if err != nil {
		return environment{}, err
	}
	user, err := os.UserCacheDir()
	if err != nil && getenv("SONDE_CACHE") == "" {
		return environment{}, err
	}
	progress := build.NewProgress(stderr, 20*time.Second)
	root, err := filepath.Abs(cmp.Or(getenv("SONDE_CACHE"), filepath.Join(user, "sonde")))
	return environment{
		module: module, workdir: callerDir(getenv("PWD"), here), progress: progress, stdout: stdout, stderr: stderr,
		cache: &build.Cache{Root: root, Module: module, Progress: progress},
	}, err
}

// findModule looks for test/cluster from a folder in it, or one above it.
func findModule(from string) (string, error) {
	for dir := from; ; dir = filepath.Dir(dir) {
		for _, candidate := range []string{dir, filepath.Join(dir, "test", "cluster")} {
			text, err := os.ReadFile(filepath.Join(candidate, "go.mod"))
			first, _, _ := strings.Cut(string(text), "\n")
			if err == nil && strings.TrimSpace(first) == modulePath {
				return candidate, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder test/cluster in or above %s: call this from a checkout", from)
		}
	}
}

// callerDir is where the caller is: `go -C` changes the folder, but leaves PWD.
func callerDir(pwd, here string) string {
	if info, err := os.Stat(pwd); err == nil && info.IsDir() && filepath.IsAbs(pwd) {
		return pwd
	}
	return here
}

// repository is the checkout's root.
func (e environment) repository() string { return filepath.Dir(filepath.Dir(e.module)) }

// abs makes a path of the caller's absolute.
func (e environment) abs(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(e.workdir, path)
}

// flags begins the flags of a command, whose help begins with what it does.
func (e environment) flags(c command) *flag.FlagSet {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(e.stderr)
	fs.Usage = func() {
		fs.SetOutput(e.stdout)
		fmt.Fprintf(e.stdout, "usage: cluster %s %s\n\n%s\n", c.name, c.usage, c.help)
		fs.PrintDefaults()
	}
	return fs
}

// clusterFlags parses the flags that commands about a cluster share.
func (e environment) clusterFlags(c command, args []string) (*cluster.Cluster, []string, error) {
	fs := e.flags(c)
	dir := fs.String("dir", "", "folder of the cluster (default .cluster at the repository's root)")
	if err := fs.Parse(args); err != nil {
		return nil, nil, err
	}
	at := filepath.Join(e.repository(), ".cluster")
	if *dir != "" {
		at = e.abs(*dir)
	}
	if strings.ContainsAny(at, "'\"@\n{}") {
		return nil, nil, errors.New("-dir: quotes, braces and @ cannot be in the path")
	}
	return &cluster.Cluster{Layout: cluster.Layout{Dir: at}, Cache: e.cache, Progress: e.progress}, fs.Args(), nil
}
