package cluster

import (
	"context"
	"fmt"
	"strings"

	"github.com/sonde-dev/sonde/test/cluster/internal/host"
	"github.com/sonde-dev/sonde/test/cluster/internal/image"
)

// images makes and loads what every cluster has: the pause image, without which
// no pod starts, and a busybox to try things with.
func (s *start) images(ctx context.Context) error {
	pause, err := image.Pause(s.programs["pause"].Path("pause"))
	if err != nil {
		return err
	}
	busybox, err := Busybox(ctx)
	if err != nil {
		return err
	}
	ctr := s.programs["containerd"].Path("ctr")
	ready := func(ctx context.Context) error {
		return host.Run(ctx, ctr, "--address", containerdSocket(), "version")
	}
	if err := s.await(ctx, "containerd", ready); err != nil {
		return err
	}
	for _, made := range []image.Image{pause, busybox} {
		file := s.layout.Path("images", image.FileName(made.Name))
		if err := image.Write(made, file); err != nil {
			return err
		}
		if err := load(ctx, s.layout, ctr, file); err != nil {
			return componentError(s.layout, "containerd", err)
		}
	}
	return nil
}

// Busybox is an image of the machine's static busybox, with all its applets.
func Busybox(ctx context.Context) (image.Image, error) {
	applets, err := host.Output(ctx, host.BusyboxPath, "--list")
	if err != nil {
		return image.Image{}, err
	}
	return image.Busybox(host.BusyboxPath, strings.Fields(applets))
}

// Load imports image archives, under the names that they bear.
func (c *Cluster) Load(ctx context.Context, files []string) error {
	if err := c.Healthy(ctx); err != nil {
		return fmt.Errorf("load into the cluster of %s: %w", c.Layout.Dir, err)
	}
	ctr, err := c.Cache.Program(ctx, "ctr")
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := load(ctx, c.Layout, ctr, file); err != nil {
			return err
		}
		c.Progress.Say("loaded %s", file)
	}
	return nil
}

// load imports one archive into the namespace that the kubelet's containers have.
func load(ctx context.Context, l Layout, ctr, file string) error {
	kind, err := snapshotter(l.Dir)
	if err != nil {
		return err
	}
	return host.Run(ctx, ctr, "--address", containerdSocket(), "--namespace", "k8s.io",
		"images", "import", "--snapshotter", kind, file)
}
