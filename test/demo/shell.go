package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// show runs a program in the checkout and lets its output through.
func (d demo) show(ctx context.Context, name string, args ...string) error {
	d.say("$ %s\n", strings.Join(append([]string{name}, args...), " "))
	cmd := d.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = d.out, d.out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// read runs a program in the checkout and returns what it prints.
func (d demo) read(ctx context.Context, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := d.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return stdout.String(), nil
}

func (d demo) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if name == "kubectl" {
		name = d.path(".cluster", "bin", "kubectl")
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = d.root
	cmd.Env = append(os.Environ(), "KUBECONFIG="+d.path(".cluster", "kubeconfig"))
	return cmd
}

// tool runs a command of the development cluster's own program.
func (d demo) tool(ctx context.Context, args ...string) error {
	return d.show(ctx, "go", append([]string{"-C", "test/cluster", "run", "."}, args...)...)
}
