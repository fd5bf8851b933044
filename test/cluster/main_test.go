package main

import (
	"bytes"
	"errors"
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// call runs the program as from a shell that stands in dir.
func call(t *testing.T, dir string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	env := map[string]string{"PWD": dir, "SONDE_CACHE": filepath.Join(t.TempDir(), "cache")}
	err = run(t.Context(), args, func(name string) string { return env[name] }, &out, &errs)
	return out.String(), errs.String(), err
}

func TestEveryCommandTeaches(t *testing.T) {
	overview, _, err := call(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		if !strings.Contains(overview, "  "+c.name+" ") {
			t.Errorf("the overview lacks %s", c.name)
		}
		help, _, err := call(t, t.TempDir(), c.name, "--help")
		if !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(help, "usage: cluster "+c.name) {
			t.Errorf("%s --help: %v\n%s", c.name, err, help)
		}
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for want, args := range map[string][]string{
		`no command "upp"`:          {"upp"},
		"which archives":            {"load"},
		"which command":             {"run", "--"},
		"name one program":          {"tool"},
		`no program "kubeadm"`:      {"tool", "kubeadm"},
		"--output: which file":      {"image", "--name", "x"},
		`no preset "alpine"`:        {"image", "alpine", "--output", "x.tar"},
		"must be given":             {"image", "--output", "x.tar"},
		"cannot be in the path":     {"up", "--dir", "it's"},
		"not understood: [\"rest\"": {"image", "--output", "x.tar", "rest"},
	} {
		_, _, err := call(t, t.TempDir(), args...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", args, err, want)
		}
	}
}

func TestPathsAreTheCallers(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := call(t, dir, "image", "--name", "docker.io/x/y:z", "--file", "go.mod:/go.mod", "--output", "x.tar"); err == nil {
		t.Error("go.mod is taken from the module's folder, not the caller's")
	}
	if got := callerDir("/no/such/folder", "/here"); got != "/here" {
		t.Errorf("a PWD that is not there gives %s", got)
	}
}

func TestFindModule(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{here, filepath.Join(here, "internal", "build"), filepath.Dir(here), filepath.Dir(filepath.Dir(here))} {
		if got, err := findModule(from); got != here {
			t.Errorf("from %s: %s, %v", from, got, err)
		}
	}
	if got, err := findModule(t.TempDir()); err == nil {
		t.Errorf("outside any checkout: %s", got)
	}
}

func TestSplitPair(t *testing.T) {
	for pair, want := range map[string][2]string{
		"bin/collector":           {"bin/collector", "/collector"},
		"bin/collector:/app/c":    {"bin/collector", "/app/c"},
		"bin/collector:usr/bin/c": {"bin/collector", "/usr/bin/c"},
	} {
		from, to := splitPair(pair)
		if diff := cmp.Diff(want, [2]string{from, to}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pair, diff)
		}
	}
}
