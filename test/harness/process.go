package harness

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Sonde returns the path of the program under test, built from the checkout.
func (c *Cluster) Sonde(t *testing.T) string {
	t.Helper()
	path := filepath.Join(c.Root, "bin", "sonde")
	build := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", c.Root, "build")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("make build: %v\n%s", err, out)
	}
	return path
}

// Process is a part of Sonde that runs beside the test.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	Logs *Log
}

// Start runs the program with args against the cluster, until Stop or the end of
// the test.
func (c *Cluster) Start(t *testing.T, program string, args ...string) *Process {
	t.Helper()
	p := &Process{cmd: exec.CommandContext(context.Background(), program, args...), done: make(chan struct{}), Logs: &Log{}}
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
	p.cmd.Stdout, p.cmd.Stderr = p.Logs, p.Logs
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is seen in its log
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Signal(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("log of %v:\n%s", args, p.Logs)
		}
	})
	return p
}

// Running reports whether the process has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends sig and waits for the end of the process. A process that is over
// already is left alone.
func (p *Process) Signal(sig syscall.Signal) {
	select {
	case <-p.done:
		return
	default:
	}
	_ = p.cmd.Process.Signal(sig) // it may just have ended
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Log is what a process writes. It is safe for concurrent use.
type Log struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// String returns all that was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// FreeAddress returns a local address that nobody listens on.
func FreeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
