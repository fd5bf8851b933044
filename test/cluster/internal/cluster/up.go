package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/test/cluster/internal/build"
	"github.com/sonde-dev/sonde/test/cluster/internal/host"
)

// readyLimit is how long each step of coming up may take. Warm, all take 10 s.
const readyLimit = 2 * time.Minute

// kubectlScript is DIR/bin/kubectl. Its cache of what the API has is in the
// cluster's folder, for the next cluster at this address may have another.
const kubectlScript = `#!/bin/sh
: "${KUBECONFIG:=%s}"
: "${KUBECACHEDIR:=%s}"
export KUBECONFIG KUBECACHEDIR
exec '%s' kubectl "$@"
`

// Up makes sure that the cluster runs. started is false when it already did.
func (c *Cluster) Up(ctx context.Context) (started bool, err error) {
	if c.Healthy(ctx) == nil {
		return false, nil
	}
	err = c.locked(ctx, func() error {
		if c.Healthy(ctx) == nil {
			return nil
		}
		started = true
		return c.up(ctx)
	})
	return started, err
}

func (c *Cluster) up(ctx context.Context) error {
	if err := c.claim(ctx); err != nil {
		return err
	}
	if missing := host.MissingPackages(); len(missing) > 0 {
		c.Progress.Say("install Debian packages: %s", strings.Join(missing, " "))
		if err := host.InstallPackages(ctx, missing); err != nil {
			return err
		}
	}
	programs, err := c.programs(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := c.prepare(ctx, programs); err != nil {
		return errors.Join(fmt.Errorf("prepare: %w", err), c.stop(context.WithoutCancel(ctx)))
	}
	run := &start{layout: c.Layout, programs: programs}
	if err := run.all(ctx); err != nil {
		return errors.Join(err, c.stop(context.WithoutCancel(ctx)))
	}
	c.Progress.Say("cluster is up after %s", time.Since(began).Round(100*time.Millisecond))
	return nil
}

// claim refuses a folder or a machine that is another's, and clears away what a
// run left that was killed.
func (c *Cluster) claim(ctx context.Context) error {
	owner, err := readText(ownerFile())
	if err != nil {
		return err
	}
	if owner != "" && owner != c.Layout.Dir {
		other := &Cluster{Layout: Layout{Dir: owner}, Progress: c.Progress}
		if other.Healthy(ctx) == nil {
			return fmt.Errorf("this machine's cluster is that of %s; end it first: down --dir %[1]s", owner)
		}
		if err := other.stop(ctx); err != nil {
			return fmt.Errorf("clear away what the cluster of %s left: %w", owner, err)
		}
	}
	if err := c.stop(ctx); err != nil {
		return fmt.Errorf("clear away what a former run left: %w", err)
	}
	return c.removeDir()
}

// programs builds what is missing of all that a cluster runs.
func (c *Cluster) programs(ctx context.Context) (map[string]build.Programs, error) {
	found := map[string]build.Programs{}
	for _, name := range []string{"kube", "containerd", "coredns", "pause"} {
		made, err := c.Cache.Named(ctx, name)
		if err != nil {
			return nil, err
		}
		found[name] = made
	}
	return found, nil
}

// prepare writes all files and makes cgroups and network.
func (c *Cluster) prepare(ctx context.Context, programs map[string]build.Programs) error {
	l := c.Layout
	for _, dir := range []string{runDir, l.Dir, l.Bin(), l.Path("logs"), l.Path("pids"), l.Path("pki"), l.Path("config"), l.Path("images")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for file, text := range map[string]string{l.marker(): "a test cluster; `down` removes this folder\n", ownerFile(): l.Dir} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := makeVolumes(l); err != nil {
		return err
	}
	if err := writePKI(l.Path("pki"), time.Now()); err != nil {
		return err
	}
	if err := c.writeFiles(programs); err != nil {
		return err
	}
	if err := host.MakeCgroups(); err != nil {
		return fmt.Errorf("cgroups: %w", err)
	}
	forward, err := host.MakeNetwork(ctx, network())
	if err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return os.WriteFile(forwardFile(), []byte(forward), 0o644)
}

// writeFiles writes configurations, kubeconfigs and kubectl.
func (c *Cluster) writeFiles(programs map[string]build.Programs) error {
	l := c.Layout
	cni, err := host.CNIDir()
	if err != nil {
		return err
	}
	kind, err := snapshotter(l.Dir)
	if err != nil {
		return err
	}
	err = writeConfigs(l, values{
		Dir: l.Dir, RunDir: runDir, CNIDir: cni, Snapshotter: kind,
		ShimPath: programs["containerd"].Path("containerd-shim-runc-v2"),
		NodeName: nodeName, NodeAddress: nodeAddress, PodRange: podRange, DNSService: dnsService, Domain: domain,
		APIServer: apiURL(), CNINetwork: cniNetwork, CgroupRoot: host.CgroupRoot,
		PortKubelet: portKubelet, PortKubeletHealth: portKubeletHealth,
		PortProxyHealth: portProxyHealth, PortProxyMetrics: portProxyMetrics, PortDNS: portDNS, DNSReady: portDNSReady,
	})
	if err != nil {
		return err
	}
	for _, id := range []string{"controller-manager", "scheduler", "kubelet", "proxy", "coredns"} {
		text, err := kubeconfigFor(l, id)
		if err != nil {
			return err
		}
		if err := os.WriteFile(l.Path("config", id+".kubeconfig"), text, 0o600); err != nil {
			return err
		}
	}
	text := fmt.Sprintf(kubectlScript, l.Kubeconfig(), l.Path("kubectl-cache"), programs["kube"].Path("kube"))
	return os.WriteFile(filepath.Join(l.Bin(), "kubectl"), []byte(text), 0o755)
}
