// Command cluster gives a bare Linux machine a real Kubernetes of one node,
// built from Go modules, without Docker. `cluster help` teaches how.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	if ended, ok := err.(*endedError); ok { //nolint:errorlint // joined with an error of ours it is not the whole story
		os.Exit(ended.code)
	}
	fmt.Fprintln(os.Stderr, "cluster:", err)
	os.Exit(1)
}

// run is main without the process.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		overview(stdout)
		return nil
	}
	for _, c := range commands() {
		if c.name == args[0] {
			env, err := newEnvironment(getenv, stdout, stderr)
			if err != nil {
				return err
			}
			return c.run(ctx, env, args[1:])
		}
	}
	overview(stderr)
	return fmt.Errorf("no command %q", args[0])
}
