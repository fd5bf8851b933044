// Package build keeps the programs that the test cluster runs in a cache
// outside the checkout, and builds what is missing there. It downloads nothing
// itself: `go build` does, by the go.mod and go.sum of each tool's module, and npm,
// by the package-lock.json of each folder that has one.
package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Cache builds recipes into folders of their own, one for each key.
type Cache struct {
	// Root is the cache's folder; it is made when first needed.
	Root string
	// Module is the folder of test/cluster.
	Module   string
	Progress *Progress
}

// Programs is where a recipe's programs are, and what they are.
type Programs struct {
	Dir     string
	Version string
}

// Path is that of one program.
func (p Programs) Path(name string) string { return filepath.Join(p.Dir, name) }

// Program builds the recipe that makes name, when the cache lacks it, and tells
// the program's path.
func (c *Cache) Program(ctx context.Context, name string) (string, error) {
	for _, recipe := range Recipes() {
		if recipe.has(name) {
			programs, err := c.Ensure(ctx, recipe)
			return programs.Path(name), err
		}
	}
	return "", fmt.Errorf("no program %q can be built", name)
}

// Named builds the recipe of that name, when the cache lacks it.
func (c *Cache) Named(ctx context.Context, name string) (Programs, error) {
	for _, recipe := range Recipes() {
		if recipe.Name == name {
			return c.Ensure(ctx, recipe)
		}
	}
	return Programs{}, fmt.Errorf("no recipe %q", name)
}

// Ensure makes sure of the recipe's programs. Calls at the same time, in other
// processes too, build once.
func (c *Cache) Ensure(ctx context.Context, r Recipe) (Programs, error) {
	programs, err := c.Where(r)
	if err != nil || exists(programs.Dir) {
		return programs, err
	}
	if err := os.MkdirAll(c.Root, 0o755); err != nil {
		return programs, err
	}
	unlock, err := Lock(ctx, filepath.Join(c.Root, r.Name+".lock"), func() {
		c.Progress.Say("%s is being built by another process: waiting for it", r.Name)
	})
	if err != nil {
		return programs, fmt.Errorf("lock of %s: %w", r.Name, err)
	}
	defer unlock()
	if exists(programs.Dir) { // the other process made it
		return programs, nil
	}
	what := fmt.Sprintf("build %s %s", r.Name, programs.Version)
	return programs, c.Progress.Step(ctx, what, r.Estimate, func(ctx context.Context) error {
		return c.build(ctx, r, programs)
	})
}

// Where tells the place of the recipe's programs, built or not.
func (c *Cache) Where(r Recipe) (Programs, error) {
	version, err := r.version(c.Module)
	if err != nil {
		return Programs{}, err
	}
	hash, err := r.hash(c.Module)
	if err != nil {
		return Programs{}, err
	}
	key := strings.Join([]string{r.Name, version, runtime.GOARCH, hash}, "-")
	return Programs{Dir: filepath.Join(c.Root, key), Version: version}, nil
}

// build builds beside the place and renames, so that a build that was killed
// leaves nothing that looks whole.
func (c *Cache) build(ctx context.Context, r Recipe, to Programs) error {
	half := to.Dir + ".half"
	if err := os.RemoveAll(half); err != nil { // of a build that was killed; the lock is ours
		return err
	}
	if err := os.MkdirAll(half, 0o755); err != nil {
		return err
	}
	fill := c.compile
	if r.npm {
		fill = c.install
	}
	if err := fill(ctx, r, half); err != nil {
		return err
	}
	return os.Rename(half, to.Dir)
}

// compile builds the recipe's programs into a folder.
func (c *Cache) compile(ctx context.Context, r Recipe, into string) error {
	version, err := r.version(c.Module)
	if err != nil {
		return err
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", strings.Join(r.Tags, ","), "-ldflags", r.linkerFlags(version), "-o", into + "/"}
	cmd := exec.CommandContext(ctx, "go", append(args, r.Packages...)...)
	cmd.Dir = r.folder(c.Module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "PWD="+cmd.Dir)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build in %s: %w\n%s", cmd.Dir, err, lastLines(output, 30))
	}
	for _, name := range r.MultiCall {
		script := fmt.Sprintf("#!/bin/sh\nexec \"${0%%/*}/%s\" %s \"$@\"\n", r.Programs[0], name)
		if err := os.WriteFile(filepath.Join(into, name), []byte(script), 0o755); err != nil {
			return err
		}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func lastLines(text []byte, n int) []byte {
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-n):], []byte("\n"))
}
