package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sonde-dev/sonde/test/cluster/internal/build"
)

// command is one verb of the program.
type command struct {
	name, usage, short, help string
	do                       func(context.Context, environment, command, []string) error
}

func (c command) run(ctx context.Context, e environment, args []string) error {
	return c.do(ctx, e, c, args)
}

func commands() []command {
	return []command{
		{"up", "[--dir DIR]", "start the cluster, building what is missing", upHelp, up},
		{"down", "[--dir DIR]", "end it and remove all traces", downHelp, down},
		{"run", "[--dir DIR] -- CMD ARGS...", "run a command with a cluster", runHelp, runCommand},
		{"status", "[--dir DIR]", "what runs, and where things are", statusHelp, status},
		{"image", "[busybox] --output FILE.tar ...", "make an image without a daemon", imageHelp, makeImage},
		{"load", "[--dir DIR] FILE.tar...", "put images into the cluster", loadHelp, load},
		{"tool", "NAME", "print the path of a program, building it if missing", toolHelp, tool},
		{"packages", "NAME...", "install Debian packages that are missing", packagesHelp, packages},
		{"prebuild", "", "build everything into the cache", prebuildHelp, prebuild},
	}
}

func overview(out io.Writer) {
	fmt.Fprint(out, `A real Kubernetes of one node on this Linux machine, without Docker.

    go -C test/cluster run . up
    export PATH=$PWD/.cluster/bin:$PATH
    kubectl get nodes
    go -C test/cluster run . down

Commands (each explains itself with --help):
`)
	for _, c := range commands() {
		fmt.Fprintf(out, "  %-9s %s\n", c.name, c.short)
	}
}

const upHelp = `Starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler, containerd,
kubelet, kube-proxy and CoreDNS, and returns when a pod can run. The first time
it builds them, which takes about 10 minutes on 2 cores; see prebuild. When the
cluster is already up it says so. What a killed run left is cleared away first.

Afterwards: DIR/kubeconfig (administrator), DIR/bin/kubectl, DIR/logs/*.log,
DIR/audit.log (each answered request, one JSON line). Needs root. Of images there
are docker.io/library/busybox:1.36 and what ` + "`load`" + ` brings; there is no registry,
so pods want imagePullPolicy IfNotPresent or Never.
`

func up(ctx context.Context, e environment, c command, args []string) error {
	k, _, err := e.clusterFlags(c, args)
	if err != nil {
		return err
	}
	started, err := k.Up(ctx)
	if err != nil {
		return err
	}
	if !started {
		e.progress.Say("cluster is already up")
	}
	fmt.Fprintf(e.stdout, "export KUBECONFIG=%s PATH=%s:$PATH\n", k.Layout.Kubeconfig(), k.Layout.Bin())
	return nil
}

const downHelp = `Ends all processes of the cluster, and removes mounts, network namespaces,
interfaces, nft tables, cgroups and DIR. When there is no cluster it does nothing.
`

func down(ctx context.Context, e environment, c command, args []string) error {
	k, _, err := e.clusterFlags(c, args)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := k.Down(ctx); err != nil {
		return err
	}
	e.progress.Say("cluster is down after %s", time.Since(began).Round(100*time.Millisecond))
	return nil
}

const statusHelp = `Prints each component's version, process and log, and where kubeconfig and audit
log are. Exits with 1 when the cluster is not up and ready.
`

func status(ctx context.Context, e environment, c command, args []string) error {
	k, _, err := e.clusterFlags(c, args)
	if err != nil {
		return err
	}
	return k.Status(ctx, e.stdout)
}

const loadHelp = `Imports image archives (of ` + "`image`" + `, docker save, ko or crane) into containerd,
under the names that they bear. Pods use the name in full.
`

func load(ctx context.Context, e environment, c command, args []string) error {
	k, files, err := e.clusterFlags(c, args)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("load: which archives?")
	}
	for i, file := range files {
		files[i] = e.abs(file)
	}
	return k.Load(ctx, files)
}

const toolHelp = `Builds a program if the cache lacks it and prints its path: kubectl, prometheus,
promtool, collector, node, etcd, kube-apiserver, containerd, ctr or coredns.

The folder of etcd and kube-apiserver has kubectl too, so it can be envtest's:
    KUBEBUILDER_ASSETS=$(dirname $(go -C test/cluster run . tool kube-apiserver))
`

func tool(ctx context.Context, e environment, c command, args []string) error {
	fs := e.flags(c)
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return errors.New("tool: name one program; see tool --help")
	}
	path, err := e.cache.Program(ctx, fs.Arg(0))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, path)
	return err
}

const prebuildHelp = `Builds all that ` + "`up`" + ` and ` + "`tool`" + ` need, one after the other, into $SONDE_CACHE or
sonde in the user's cache folder. What is there already takes no time.
`

func prebuild(ctx context.Context, e environment, c command, args []string) error {
	if err := e.flags(c).Parse(args); err != nil {
		return err
	}
	began := time.Now()
	for _, recipe := range build.Recipes() {
		made, err := e.cache.Ensure(ctx, recipe)
		if err != nil {
			return err
		}
		e.progress.Say("%s %s: %s", recipe.Name, made.Version, made.Dir)
	}
	e.progress.Say("all built after %s", time.Since(began).Round(100*time.Millisecond))
	return nil
}
