package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/test/cluster/internal/host"
)

// Down ends the cluster and removes all traces of it. It is content when there
// is none.
func (c *Cluster) Down(ctx context.Context) error {
	return c.locked(ctx, func() error {
		owner, err := readText(ownerFile())
		if err != nil {
			return err
		}
		if owner == "" || owner == c.Layout.Dir {
			err = c.stop(ctx)
		}
		if err != nil {
			return err // the folder's logs tell what happened, so it stays
		}
		return c.removeDir()
	})
}

// removeDir removes the cluster's folder.
func (c *Cluster) removeDir() error {
	if err := c.folderIsOurs(); err != nil {
		return err
	}
	return host.RemoveTree(c.Layout.Dir)
}

// folderIsOurs refuses a folder that no cluster made. One that is empty, or not
// there, will do.
func (c *Cluster) folderIsOurs() error {
	entries, err := os.ReadDir(c.Layout.Dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(c.Layout.marker()); err != nil {
		return fmt.Errorf("%s is not a cluster's folder, so it is left alone: it has no file %s",
			c.Layout.Dir, filepath.Base(c.Layout.marker()))
	}
	return nil
}

// stop ends all processes and removes what is outside the cluster's folder. All
// is tried, whatever fails before.
func (c *Cluster) stop(ctx context.Context) error {
	if err := c.folderIsOurs(); err != nil {
		return err
	}
	sockets, err := shimSockets()
	errs := []error{err, endProcesses(ctx), removeFiles(sockets, "/run/containerd/s", "/run/containerd")}
	forward, err := readText(forwardFile())
	errs = append(errs, err)
	if forward != "" { // only a run of ours made the network
		errs = append(errs, host.RestoreForward(forward))
	}
	if _, err := os.Stat(runDir); err == nil {
		errs = append(errs, host.RemoveNetwork(ctx, cniNetwork))
	}
	errs = append(errs,
		host.RemoveTree(c.Layout.Path("kubelet")),
		host.RemoveTree(c.Layout.Path("containerd")),
		host.RemoveLinksInto("/var/log/containers", c.Layout.Path("pod-logs")),
		host.RemoveCgroups(),
		removeDevicePlugins(),
	)
	if err := errors.Join(errs...); err != nil {
		return err // runDir stays: it says that there is something to clear away
	}
	return host.RemoveTree(runDir)
}

// endProcesses ends the cluster's processes, in the order in which they do not
// wait for, or start again, one another.
func endProcesses(ctx context.Context) error {
	const grace = 5 * time.Second
	all, err := host.Processes()
	if err != nil {
		return err
	}
	if err := host.Stop(ctx, ofDaemon(all, "kubelet", "kube-proxy"), grace); err != nil {
		return err
	}
	if err := host.Kill(ctx, containers(all)); err != nil {
		return err
	}
	for _, names := range [][]string{
		{"containerd"}, {"coredns", "kube-scheduler", "kube-controller-manager"}, {"kube-apiserver"}, {"etcd"},
	} {
		if err := host.Stop(ctx, ofDaemon(all, names...), grace); err != nil {
			return err
		}
	}
	left, err := host.Processes() // what was started meanwhile
	if err != nil {
		return err
	}
	return host.Kill(ctx, left)
}

func ofDaemon(all []host.Process, names ...string) []host.Process {
	var some []host.Process
	for _, p := range all {
		for _, name := range names {
			if p.Daemon == name && !isShim(p) {
				some = append(some, p)
			}
		}
	}
	return some
}

// containers are the processes in containers, and the shims that hold them.
func containers(all []host.Process) []host.Process {
	var some []host.Process
	for _, p := range all {
		if p.Daemon == "" || isShim(p) {
			some = append(some, p)
		}
	}
	return some
}

func isShim(p host.Process) bool { return strings.HasPrefix(p.Program, "containerd-shim") }

// shimSockets are the sockets of the shims that run. containerd keeps them in a
// folder that it shares with any other containerd of the machine, and a shim
// that is killed leaves its own behind.
func shimSockets() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(runDir, "containerd", "io.containerd.runtime.v2.task", "*", "*", "bootstrap.json"))
	if err != nil {
		return nil, err
	}
	var sockets []string
	for _, file := range files {
		text, err := readText(file) // empty when the shim has ended meanwhile
		if err != nil {
			return sockets, err
		}
		var bootstrap struct{ Address string }
		if json.Unmarshal([]byte(text), &bootstrap) != nil { // or half written when it was killed
			continue
		}
		if socket, ok := strings.CutPrefix(bootstrap.Address, "unix://"); ok {
			sockets = append(sockets, socket)
		}
	}
	return sockets, nil
}

// removeFiles removes files, and then folders as far as they are empty.
func removeFiles(files []string, folders ...string) error {
	var errs []error
	for _, file := range files {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, folder := range folders {
		_ = os.Remove(folder) // in use by another, then
	}
	return errors.Join(errs...)
}

// removeDevicePlugins removes the folder that a kubelet makes wherever its root
// is, unless another kubelet lives there.
func removeDevicePlugins() error {
	const home, plugins = "/var/lib/kubelet", "/var/lib/kubelet/device-plugins"
	entries, err := os.ReadDir(home)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(plugins) {
		return err
	}
	_ = os.Remove(filepath.Join(plugins, "kubelet.sock")) // a kubelet that was killed left it
	if err := os.Remove(plugins); err != nil {
		return nil //nolint:nilerr // a device plugin lives there, so it is not ours
	}
	return os.Remove(home)
}
