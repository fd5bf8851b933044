package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/sonde-dev/sonde/test/cluster/internal/build"
)

// lockFile is held by whoever starts or ends the machine's cluster.
const lockFile = "/run/sonde-cluster.lock"

// Cluster is the one of a folder; whether it runs is another matter.
type Cluster struct {
	Layout   Layout
	Cache    *build.Cache
	Progress *build.Progress
}

// Healthy is nil when all components run and the node is ready.
func (c *Cluster) Healthy(ctx context.Context) error {
	owner, err := readText(ownerFile())
	if err != nil {
		return err
	}
	if owner != c.Layout.Dir {
		return errors.New("not started")
	}
	for _, component := range allComponents(c.Layout) {
		if _, ok := running(c.Layout, component.name); !ok {
			return fmt.Errorf("%s does not run", component.name)
		}
	}
	client, err := newClient(c.Layout)
	if err != nil {
		return err
	}
	if err := client.get(ctx, "/readyz", nil); err != nil {
		return err
	}
	return client.nodeReady(ctx)
}

// locked does one thing while no other process starts or ends a cluster.
func (c *Cluster) locked(ctx context.Context, do func() error) error {
	if os.Geteuid() != 0 {
		return errors.New("a cluster needs root: namespaces, mounts and nft tables of the machine")
	}
	unlock, err := build.Lock(ctx, lockFile, func() {
		c.Progress.Say("another process starts or ends the cluster: waiting for it")
	})
	if err != nil {
		return err
	}
	defer unlock()
	return do()
}
