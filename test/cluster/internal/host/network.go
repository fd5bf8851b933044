package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// Bridge is the interface that bears the node's address.
	Bridge = "sonde0"
	// natTable is ours: pods that speak to the world outside do so as the machine.
	natTable = "sonde-cluster"
	// cniCache is where libcni keeps the results of networks.
	cniCache = "/var/lib/cni/results"
	// ipForward is a switch of the whole machine.
	ipForward = "/proc/sys/net/ipv4/ip_forward"
)

// Network is the cluster's addresses.
type Network struct {
	// Node is the node's address, without a prefix.
	Node string
	// Pods and Services are the ranges (CIDR) of each; Whole contains them and Node.
	Pods, Services, Whole string
}

// MakeNetwork makes the interface with the node's address, a route for service
// addresses (without one, a machine with no default route cannot call them),
// and lets pods out into the world. It returns what ip_forward was before.
func MakeNetwork(ctx context.Context, n Network) (forward string, err error) {
	text, err := os.ReadFile(ipForward)
	if err != nil {
		return "", err
	}
	forward = strings.TrimSpace(string(text))
	if forward != "1" {
		if err := os.WriteFile(ipForward, []byte("1"), 0o644); err != nil {
			return forward, err
		}
	}
	for _, args := range [][]string{
		{"link", "add", "name", Bridge, "type", "bridge"},
		{"addr", "add", n.Node + "/32", "dev", Bridge},
		{"link", "set", "dev", Bridge, "up"},
		{"route", "replace", n.Services, "dev", Bridge, "src", n.Node},
	} {
		if err := Run(ctx, "ip", args...); err != nil {
			return forward, err
		}
	}
	rules := "add table ip " + natTable + "; " +
		"add chain ip " + natTable + " postrouting { type nat hook postrouting priority 100; }; " +
		"add rule ip " + natTable + " postrouting ip saddr " + n.Pods + " ip daddr != " + n.Whole + " masquerade"
	return forward, Run(ctx, "nft", rules)
}

// RemoveNetwork removes the interface, our nft table and kube-proxy's, and what
// CNI keeps of the network of that name.
func RemoveNetwork(ctx context.Context, cniNetwork string) error {
	var errs []error
	if _, err := os.Stat(filepath.Join("/sys/class/net", Bridge)); err == nil {
		errs = append(errs, Run(ctx, "ip", "link", "delete", "dev", Bridge))
	}
	if _, err := exec.LookPath("nft"); err == nil {
		errs = append(errs, removeTables(ctx))
	}
	results, err := filepath.Glob(filepath.Join(cniCache, cniNetwork+"-*"))
	errs = append(errs, err)
	for _, file := range results {
		errs = append(errs, os.Remove(file))
	}
	return errors.Join(errs...)
}

// RestoreForward gives ip_forward the value it had before.
func RestoreForward(before string) error {
	if before != "0" {
		return nil
	}
	return os.WriteFile(ipForward, []byte("0"), 0o644)
}

func removeTables(ctx context.Context) error {
	listed, err := Output(ctx, "nft", "list", "tables")
	if err != nil {
		return err
	}
	var errs []error
	for _, table := range tablesOfOurs(listed) {
		errs = append(errs, Run(ctx, "nft", "delete", "table", table))
	}
	return errors.Join(errs...)
}

// tablesOfOurs picks from the output of `nft list tables`.
func tablesOfOurs(listed string) []string {
	var ours []string
	for line := range strings.Lines(listed) {
		fields := strings.Fields(line) // table FAMILY NAME
		if len(fields) == 3 && (fields[2] == natTable || fields[2] == "kube-proxy") {
			ours = append(ours, fields[1]+" "+fields[2])
		}
	}
	return ours
}
