package build

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fixture is a module with one program, and a recipe for it.
func fixture(t *testing.T) (*Cache, Recipe) {
	t.Helper()
	module := t.TempDir()
	write(t, filepath.Join(module, "tool", "go.mod"), "module example.com/tool\n\ngo 1.26.0\n\nrequire example.com/real v1.2.3 // indirect\n")
	write(t, filepath.Join(module, "tool", "main.go"), "package main\n\nfunc main() {}\n")
	recipe := Recipe{
		Name: "tool", Dir: "tool", Requires: "example.com/real", Sources: []string{"go.mod", "*.go"},
		Packages: []string{"."}, Programs: []string{"tool"}, MultiCall: []string{"other"},
	}
	return &Cache{Root: t.TempDir(), Module: module, Progress: NewProgress(&bytes.Buffer{}, time.Minute)}, recipe
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func where(t *testing.T, c *Cache, r Recipe) string {
	t.Helper()
	programs, err := c.Where(r)
	if err != nil {
		t.Fatal(err)
	}
	return programs.Dir
}

func TestKey(t *testing.T) {
	cache, recipe := fixture(t)
	before := where(t, cache, recipe)
	if base := filepath.Base(before); !strings.HasPrefix(base, "tool-v1.2.3-") {
		t.Errorf("key %q does not begin with name and version", base)
	}
	if again := where(t, cache, recipe); again != before {
		t.Errorf("the key is %q and then %q", before, again)
	}
	t.Run("a changed source is another key", func(t *testing.T) {
		write(t, filepath.Join(cache.Module, "tool", "main.go"), "package main\n\nfunc main() { println() }\n")
		if where(t, cache, recipe) == before {
			t.Error("the key is the same")
		}
	})
	t.Run("a changed recipe is another key", func(t *testing.T) {
		cache, recipe := fixture(t)
		before := where(t, cache, recipe)
		recipe.Vars = []string{"main.x=1"}
		if filepath.Base(where(t, cache, recipe)) == filepath.Base(before) {
			t.Error("the key is the same")
		}
	})
}

func TestEveryRecipeHasItsVersionPinned(t *testing.T) {
	cache := &Cache{Root: t.TempDir(), Module: filepath.Join("..", "..")}
	for _, recipe := range Recipes() {
		if _, err := cache.Where(recipe); err != nil {
			t.Errorf("%s: %v", recipe.Name, err)
		}
	}
}

func TestEnsureBuildsWhole(t *testing.T) {
	cache, recipe := fixture(t)
	write(t, filepath.Join(cache.Module, "tool", "go.mod"), "module example.com/tool\n\ngo 1.26.0\n")
	recipe.Requires = ""
	write(t, filepath.Join(where(t, cache, recipe)+".half", "tool"), "of a build that was killed")
	programs, err := cache.Ensure(t.Context(), recipe)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tool", "other"} {
		info, err := os.Stat(programs.Path(name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&0o111 == 0 {
			t.Errorf("%s cannot be executed", name)
		}
	}
	left, err := filepath.Glob(filepath.Join(cache.Root, "*.half"))
	if err != nil || len(left) > 0 {
		t.Errorf("half builds are left: %v %v", left, err)
	}
}

func TestEnsureSaysWhatGoSaid(t *testing.T) {
	cache, recipe := fixture(t)
	write(t, filepath.Join(cache.Module, "tool", "main.go"), "package main\n\nfunc main() { undefinedThing() }\n")
	_, err := cache.Ensure(t.Context(), recipe)
	if err == nil || !strings.Contains(err.Error(), "undefinedThing") {
		t.Errorf("the error is %v", err)
	}
	if exists(where(t, cache, recipe)) {
		t.Error("a build that failed is in the cache")
	}
}

func TestLockWaitsForTheOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(t.Context(), path, func() { t.Error("the first one waits") })
	if err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	waiting := make(chan struct{})
	go func() {
		unlock, err := Lock(context.WithoutCancel(t.Context()), path, func() { close(waiting) })
		if err == nil {
			unlock()
		}
		second <- err
	}()
	<-waiting
	unlock()
	if err := <-second; err != nil {
		t.Error(err)
	}
}

func TestRequiredVersion(t *testing.T) {
	const gomod = "module m\n\nrequire example.com/one v0.1.0\n\nrequire (\n\texample.com/two/v2 v2.3.4 // indirect\n)\n\nreplace example.com/three => example.com/three v9.9.9\n"
	for path, want := range map[string]string{
		"example.com/one": "v0.1.0", "example.com/two/v2": "v2.3.4", "example.com/three": "", "example.com/two": "",
	} {
		got, err := requiredVersion(gomod, path, "go.mod")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
}
