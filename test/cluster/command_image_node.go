package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sonde-dev/sonde/test/cluster/internal/build"
	"github.com/sonde-dev/sonde/test/cluster/internal/host"
	"github.com/sonde-dev/sonde/test/cluster/internal/image"
)

const (
	nodePath = "/usr/local/bin/node"
	appDir   = "/app"
)

// npmPackage is what we read of a package.json.
type npmPackage struct {
	Name, Main string
}

// nodeImage adds a package for Node to an image: Node with the machine's libraries,
// the package's own *.js and *.mjs, and what its package-lock.json names.
func nodeImage(ctx context.Context, e environment, dir string, into *image.Image) error {
	pkg, err := readPackage(dir)
	if err != nil {
		return err
	}
	node, err := e.cache.Program(ctx, "node")
	if err != nil {
		return err
	}
	installed, err := e.cache.Ensure(ctx, build.NPM(pkg.Name, dir, ""))
	if err != nil {
		return err
	}
	files := map[string]string{
		node: nodePath,
		filepath.Join(installed.Dir, "node_modules"): appDir + "/node_modules",
	}
	libraries, err := host.Libraries(ctx, node)
	if err != nil {
		return err
	}
	for _, library := range libraries {
		files[library] = library
	}
	for _, glob := range []string{"package.json", "*.js", "*.mjs"} {
		own, err := filepath.Glob(filepath.Join(dir, glob))
		if err != nil {
			return err
		}
		for _, file := range own {
			files[file] = appDir + "/" + filepath.Base(file)
		}
	}
	for from, to := range files {
		entries, err := image.FromHost(from, to)
		if err != nil {
			return err
		}
		into.Entries = append(into.Entries, entries...)
	}
	into.Entrypoint = []string{nodePath, appDir + "/" + pkg.Main}
	return nil
}

func readPackage(dir string) (npmPackage, error) {
	path := filepath.Join(dir, "package.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return npmPackage{}, err
	}
	var pkg npmPackage
	if err := json.Unmarshal(text, &pkg); err != nil {
		return pkg, fmt.Errorf("%s: %w", path, err)
	}
	if pkg.Name == "" || pkg.Main == "" {
		return pkg, fmt.Errorf("%s: name and main must be set", path)
	}
	return pkg, nil
}
