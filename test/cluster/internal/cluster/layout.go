// Package cluster starts, watches and ends a Kubernetes of one node on this
// machine: each component is a process of its own, as on a real node, and
// nothing of it is simulated.
package cluster

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sonde-dev/sonde/test/cluster/internal/host"
)

// The addresses are out of the way of the usual ones, and one machine has one
// cluster at a time. All are within 10.231.0.0/16.
const (
	nodeAddress = "10.231.0.1"
	podRange    = "10.231.16.0/20" // 4094 pods ever at a time
	serviceIPs  = "10.231.240.0/20"
	apiService  = "10.231.240.1" // the first of serviceIPs, by Kubernetes's own rule
	dnsService  = "10.231.240.10"
	wholeRange  = "10.231.0.0/16"

	nodeName   = "sonde"
	domain     = "cluster.local"
	cniNetwork = "sonde-cluster"
)

// The ports are not the customary ones either. All are below 30000, where node
// ports begin, and so below those of outgoing connections.
const (
	portAPI           = "26443"
	portEtcd          = "22379"
	portEtcdPeer      = "22380"
	portControllers   = "20257"
	portScheduler     = "20259"
	portKubelet       = "20250"
	portKubeletHealth = "20248"
	portProxyHealth   = "20256"
	portProxyMetrics  = "20249"
	portDNS           = "20053"
	portDNSReady      = "20181"
)

// runDir is short, because socket paths have at most 107 bytes, and in memory,
// so that it does not outlive the machine's processes.
const runDir = "/run/sonde-cluster"

// Layout is where a cluster keeps its files.
type Layout struct {
	// Dir is the cluster's folder, absolute.
	Dir string
}

// Path is that of a file in the cluster's folder.
func (l Layout) Path(parts ...string) string {
	return filepath.Join(append([]string{l.Dir}, parts...)...)
}

// Kubeconfig is the administrator's.
func (l Layout) Kubeconfig() string { return l.Path("kubeconfig") }

// Bin is the folder that has kubectl.
func (l Layout) Bin() string { return l.Path("bin") }

// Log is a component's log.
func (l Layout) Log(component string) string { return l.Path("logs", component+".log") }

// Audit is the API server's audit log: JSON lines of audit.k8s.io/v1.
func (l Layout) Audit() string { return l.Path("audit.log") }

func (l Layout) pidFile(component string) string { return l.Path("pids", component) }

// marker is the file by which a folder is known to be a cluster's: nothing is
// removed from a folder without it.
func (l Layout) marker() string { return l.Path("sonde-cluster") }

// network is what the host must provide.
func network() host.Network {
	return host.Network{Node: nodeAddress, Pods: podRange, Services: serviceIPs, Whole: wholeRange}
}

func containerdSocket() string { return filepath.Join(runDir, "containerd.sock") }

// ownerFile has the folder of the cluster that has this machine.
func ownerFile() string { return filepath.Join(runDir, "owner") }

// forwardFile has what ip_forward was before.
func forwardFile() string { return filepath.Join(runDir, "ip_forward") }

// readText is a small file's text without the newline at its end; empty where
// there is no such file.
func readText(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}
