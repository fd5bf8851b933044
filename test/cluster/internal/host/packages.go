// Package host is what the test cluster needs of the machine it runs on, and
// what it leaves behind there: Debian packages, processes, mounts, cgroups,
// interfaces and nft tables.
package host

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// need is a file that must be on the machine, and the Debian package that has it.
type need struct {
	pkg string
	// files: one of these must exist; a name without a slash is looked up in PATH.
	files []string
}

func needs() []need {
	return []need{
		{"runc", []string{"runc"}},
		{"containernetworking-plugins", CNIPaths("ptp")},
		{"nftables", []string{"nft"}},
		{"conntrack", []string{"conntrack"}},
		{"iproute2", []string{"ip"}},
		{"iptables", []string{"iptables"}},
		{"mount", []string{"mount"}},
		{"ca-certificates", []string{"/etc/ssl/certs/ca-certificates.crt"}},
		{"busybox-static", []string{BusyboxPath}},
		{"e2fsprogs", []string{"mkfs.ext4"}}, // the durability tests have a disk of their own
	}
}

// BusyboxPath is where Debian's busybox-static has its program.
const BusyboxPath = "/bin/busybox"

// CNIPaths are the places where distributions keep a CNI plugin.
func CNIPaths(plugin string) []string {
	return []string{
		filepath.Join("/usr/lib/cni", plugin),
		filepath.Join("/opt/cni/bin", plugin),
		filepath.Join("/usr/libexec/cni", plugin),
	}
}

// CNIDir is the folder of the machine's CNI plugins.
func CNIDir() (string, error) {
	for _, path := range CNIPaths("ptp") {
		if _, err := os.Stat(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	return "", fmt.Errorf("no CNI plugin ptp in %s", strings.Join(CNIPaths("ptp"), ", "))
}

// MissingPackages are the Debian packages of which something is not there.
func MissingPackages() []string {
	var missing []string
	for _, n := range needs() {
		if !slices.ContainsFunc(n.files, installed) {
			missing = append(missing, n.pkg)
		}
	}
	return missing
}

// Uninstalled returns those of the Debian packages that are not installed.
func Uninstalled(ctx context.Context, packages []string) []string {
	return slices.DeleteFunc(slices.Clone(packages), func(name string) bool {
		state, err := Output(ctx, "dpkg-query", "-W", "-f=${db:Status-Status}", name)
		return err == nil && state == "installed"
	})
}

// InstallPackages installs Debian packages. It needs root and apt-get, and says
// what to install by hand where it has not got them.
func InstallPackages(ctx context.Context, packages []string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("missing on this machine: %s; as root: apt-get install %[1]s", strings.Join(packages, " "))
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("missing on this machine, and there is no apt-get: what Debian has in %s", strings.Join(packages, ", "))
	}
	if err := Run(ctx, "apt-get", "update", "-qq"); err != nil {
		return err
	}
	args := append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)
	return Run(ctx, "apt-get", args...)
}

// Run runs a program of the machine; its output is part of the error.
func Run(ctx context.Context, name string, args ...string) error {
	_, err := Output(ctx, name, args...)
	return err
}

// Output is Run, and what the program printed.
func Output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	output, err := cmd.CombinedOutput()
	if err != nil {
		return string(output), fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, strings.TrimSpace(string(output)))
	}
	return string(output), nil
}

func installed(file string) bool {
	if strings.Contains(file, "/") {
		_, err := os.Stat(file)
		return err == nil
	}
	_, err := exec.LookPath(file)
	return err == nil
}
