package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/sonde-dev/sonde/test/cluster/internal/cluster"
)

const runHelp = `Runs CMD in the caller's folder with KUBECONFIG, SONDE_CLUSTER_DIR and PATH set for
the cluster. Starts the cluster before if it is not up, and then ends it after.
The exit code is CMD's; through ` + "`go run`" + ` any other than 0 becomes 1.

    go -C test/cluster run . run -- kubectl get nodes
`

// endedError is a command that ended with another code than 0: its output has
// said why, so we add nothing.
type endedError struct{ code int }

func (e *endedError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

func runCommand(ctx context.Context, e environment, c command, args []string) (err error) {
	k, args, err := e.clusterFlags(c, args)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return errors.New("run: which command?")
	}
	started, err := k.Up(ctx)
	if started {
		// A signal ends the command, not the tidying up after it.
		defer func() {
			if ending := k.Down(context.WithoutCancel(ctx)); ending != nil {
				err = errors.Join(err, ending)
			}
		}()
	}
	if err != nil {
		return err
	}
	return with(ctx, e, k.Layout, args)
}

// with runs the command until it ends. When ctx ends before it is asked to end,
// and after half a minute is made to.
func with(ctx context.Context, e environment, l cluster.Layout, args []string) error {
	if err := os.Setenv("PATH", l.Bin()+":"+os.Getenv("PATH")); err != nil { // exec looks CMD up in it
		return err
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, e.stdout, e.stderr
	cmd.Dir = e.workdir
	cmd.Env = append(os.Environ(), "PWD="+e.workdir, "KUBECONFIG="+l.Kubeconfig(), "SONDE_CLUSTER_DIR="+l.Dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	err := cmd.Run()
	exit, ended := errors.AsType[*exec.ExitError](err)
	if !ended {
		return err
	}
	if exit.ExitCode() < 0 { // ended by a signal: the shell's convention
		return &endedError{code: 128 + int(exit.Sys().(syscall.WaitStatus).Signal())}
	}
	return &endedError{code: exit.ExitCode()}
}
