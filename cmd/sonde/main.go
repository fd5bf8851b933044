// Command sonde is all of Sonde in one program: each part is a command.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	_ "time/tzdata" // the image has no other; schedules name time zones
)

// version is set at link time: -ldflags "-X main.version=v0.1.0".
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], process{getenv: os.Getenv, stdout: os.Stdout, stderr: os.Stderr})
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return
	case errors.As(err, new(*usageError)):
		fmt.Fprintf(os.Stderr, "sonde: %v\n", err)
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "sonde: %v\n", err)
		os.Exit(1)
	}
}

// process is what a command has of the world.
type process struct {
	getenv         func(string) string
	stdout, stderr io.Writer
}

// usageError is a fault of the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

const usage = `Sonde runs synthetic checks as Kubernetes CronJobs and turns what they report
into verdicts and metrics.

Usage:
  sonde COMMAND [FLAGS]

Commands:
  controller   turn Checks into CronJobs; needs the rights in deploy/rbac
  receiver     take what checks report, decide, and expose metrics
  version      print the version

"sonde COMMAND --help" explains a command and its flags. Each flag may also be
given as an environment variable: --log-level as SONDE_LOG_LEVEL. The flag wins.
`

// run is main without the process: a test may call it. It returns nil when ctx ends
// and all has been put down in order.
func run(ctx context.Context, args []string, p process) error {
	name := "help"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "controller":
		return runController(ctx, args, p)
	case "receiver":
		return runReceiver(ctx, args, p)
	case "version":
		_, err := fmt.Fprintf(p.stdout, "sonde %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	case "help", "-h", "-help", "--help":
		_, err := io.WriteString(p.stdout, usage)
		return err
	default:
		return &usageError{fmt.Errorf("there is no command %q; sonde --help lists them", name)}
	}
}
