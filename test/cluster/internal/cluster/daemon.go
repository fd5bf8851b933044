package cluster

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"github.com/sonde-dev/sonde/test/cluster/internal/host"
)

// systemPath is where daemons, and the programs of containerd, find the machine's.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// daemon is a component that this process started. It goes on when this process
// ends.
type daemon struct {
	component
	// ended has the error of a process that ended while we were there.
	ended chan error
}

// startDaemon starts a component in a session of its own, with no environment
// but what it needs: a proxy meant for the developer's shell is none for a cluster.
func startDaemon(l Layout, c component, executable string) (*daemon, error) {
	log, err := os.OpenFile(l.Log(c.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(executable, c.args...) //nolint:noctx // it outlives this process
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = []string{"PATH=" + systemPath, "HOME=/root", host.Marker + "=" + c.name + "@" + l.Dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", c.name, err)
	}
	d := &daemon{component: c, ended: make(chan error, 1)}
	go func() { d.ended <- cmd.Wait() }()
	return d, os.WriteFile(l.pidFile(c.name), []byte(strconv.Itoa(cmd.Process.Pid)), 0o644)
}

// running tells whether the component's process, by its pid file, is alive and
// is ours.
func running(l Layout, name string) (pid int, ok bool) {
	text, err := readText(l.pidFile(name))
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(text)
	if err != nil {
		return 0, false
	}
	p, ours := host.ProcessOf(pid)
	return pid, ours && p.Daemon == name && p.Dir == l.Dir
}

// ComponentError says which component keeps the cluster from coming up.
type ComponentError struct {
	Component string
	// Log is the path of its log, Lines its end.
	Log, Lines string
	Err        error
}

func (e *ComponentError) Error() string {
	return fmt.Sprintf("%s: %v\nthe end of %s:\n%s", e.Component, e.Err, e.Log, e.Lines)
}

func (e *ComponentError) Unwrap() error { return e.Err }

func componentError(l Layout, name string, err error) error {
	return &ComponentError{Component: name, Log: l.Log(name), Lines: tail(l.Log(name), 15), Err: err}
}

// tail is the last n lines of a log; what cannot be read has none.
func tail(path string, n int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "(" + err.Error() + ")"
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}
