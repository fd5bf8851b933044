package build

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sonde-dev/sonde/test/cluster/internal/host"
)

// NPM is the recipe of a folder with a package.json and a package-lock.json: it
// installs what the lock names, into a folder node_modules. Its version is that of
// the package that is named by requires.
func NPM(name, dir, requires string) Recipe {
	return Recipe{
		Name: name, Dir: dir, Requires: requires, npm: true,
		Sources: []string{"package.json", "package-lock.json"}, Estimate: 30 * time.Second,
	}
}

// install runs npm in a folder, of which the recipe's programs are then taken out.
// No package runs a script of its own.
func (c *Cache) install(ctx context.Context, r Recipe, into string) error {
	npm, err := c.npm(ctx)
	if err != nil {
		return err
	}
	for _, source := range r.Sources {
		text, err := os.ReadFile(filepath.Join(r.folder(c.Module), source))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(into, source), text, 0o644); err != nil {
			return err
		}
	}
	cmd := exec.CommandContext(ctx, npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier")
	cmd.Dir = into
	cmd.Env = append(os.Environ(), "PWD="+into)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci of %s: %w\n%s", r.folder(c.Module), err, lastLines(output, 30))
	}
	return takePrograms(r, into)
}

// npm is the path of npm, which is a package of Debian's where the machine lacks it.
func (c *Cache) npm(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("npm"); err == nil {
		return path, nil
	}
	c.Progress.Say("installing npm and the Node that runs it")
	if err := host.InstallPackages(ctx, []string{"npm"}); err != nil {
		return "", err
	}
	return exec.LookPath("npm")
}

// takePrograms moves the recipe's programs, which packages have in their folders bin,
// and removes the rest of the packages. Without programs it leaves all as it is.
func takePrograms(r Recipe, dir string) error {
	if len(r.Programs) == 0 {
		return nil
	}
	packages := filepath.Join(dir, "node_modules")
	for _, program := range r.Programs {
		found, err := filepath.Glob(filepath.Join(packages, "*", "bin", program))
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("%d packages have a program %s for this machine, want 1: what npm could not get of packages that are optional, it only tells the newest of ~/.npm/_logs", len(found), program)
		}
		if err := os.Rename(found[0], filepath.Join(dir, program)); err != nil {
			return err
		}
	}
	return os.RemoveAll(packages)
}

// npmVersion finds the version of a package that a package.json pins.
func npmVersion(text []byte, name, file string) (string, error) {
	var packages struct{ Dependencies, OptionalDependencies map[string]string }
	if err := json.Unmarshal(text, &packages); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	for _, pinned := range []map[string]string{packages.Dependencies, packages.OptionalDependencies} {
		if version := pinned[name]; version != "" {
			return "v" + version, nil
		}
	}
	return "", fmt.Errorf("%s does not require %s", file, name)
}
