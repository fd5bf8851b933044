package cluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/sonde-dev/sonde/test/cluster/internal/build"
)

// Status prints what runs, and where things are. It returns why the cluster is
// not healthy, if it is not.
func (c *Cluster) Status(ctx context.Context, out io.Writer) error {
	l := c.Layout
	versions, err := c.versions()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "COMPONENT\tVERSION\tPID\tLOG")
	for _, component := range allComponents(l) {
		state := "-"
		if pid, ok := running(l, component.name); ok {
			state = fmt.Sprint(pid)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", component.name, versions[component.recipe], state, l.Log(component.name))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, line := range [][2]string{
		{"kubeconfig", l.Kubeconfig()}, {"kubectl", l.Path("bin", "kubectl")}, {"audit log", l.Audit()},
	} {
		if _, err := os.Stat(line[1]); err == nil {
			fmt.Fprintf(out, "%s: %s\n", line[0], line[1])
		}
	}
	fmt.Fprintf(out, "node %s at %s, pods %s, services %s, DNS %s\n", nodeName, nodeAddress, podRange, serviceIPs, dnsService)
	if err := c.Healthy(ctx); err != nil {
		return fmt.Errorf("the cluster of %s is not up: %w", l.Dir, err)
	}
	fmt.Fprintln(out, "up and ready")
	return nil
}

// versions is that of each recipe. etcd comes in the Kubernetes binary and is
// shown under its version.
func (c *Cluster) versions() (map[string]string, error) {
	versions := map[string]string{}
	for _, recipe := range build.Recipes() {
		programs, err := c.Cache.Where(recipe)
		if err != nil {
			return nil, err
		}
		versions[recipe.Name] = programs.Version
	}
	return versions, nil
}
