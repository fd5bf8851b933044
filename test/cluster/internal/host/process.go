package host

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Marker is the environment variable that each daemon of the cluster has, and
// that shims inherit from containerd: NAME@DIR.
const Marker = "SONDE_CLUSTER_DAEMON"

// CgroupRoot is the cgroup, in each hierarchy, below which the cluster's pods are.
const CgroupRoot = "/sonde-cluster"

// Process is one process of the cluster.
type Process struct {
	PID int
	// Program is the base name of the executable's first argument.
	Program string
	// Daemon is the name that the marker gives; a shim has containerd's, and a
	// container's process has none.
	Daemon string
	// Dir is the cluster's folder; empty for a container's process.
	Dir string
}

// Processes finds what runs of any test cluster on this machine, by marker and
// cgroup: a pid file may be stale, and a process id may have been used again.
func Processes() ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if p, ours := processAt(filepath.Join("/proc", entry.Name())); ours {
			p.PID = pid
			found = append(found, p)
		}
	}
	return found, nil
}

// ProcessOf is the cluster's process with that id; false where there is none, or
// the id is now another's.
func ProcessOf(pid int) (Process, bool) {
	p, ours := processAt(filepath.Join("/proc", strconv.Itoa(pid)))
	p.PID = pid
	return p, ours
}

// processAt reads what it may: a process that is gone, and one that we may not
// look into, is not ours.
func processAt(proc string) (Process, bool) {
	cmdline, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
	if len(cmdline) == 0 { // kernel threads and zombies
		return Process{}, false
	}
	environ, _ := os.ReadFile(filepath.Join(proc, "environ"))
	cgroups, _ := os.ReadFile(filepath.Join(proc, "cgroup"))
	return recognize(cmdline, environ, cgroups)
}

// recognize decides from the text of three files of /proc/PID.
func recognize(cmdline, environ, cgroups []byte) (Process, bool) {
	first, _, _ := bytes.Cut(cmdline, []byte{0})
	p := Process{Program: filepath.Base(string(first))}
	for variable := range bytes.SplitSeq(environ, []byte{0}) {
		if value, ok := strings.CutPrefix(string(variable), Marker+"="); ok {
			p.Daemon, p.Dir, ok = strings.Cut(value, "@")
			return p, ok
		}
	}
	for line := range strings.Lines(string(cgroups)) {
		// hierarchy-ID:controllers:path
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && (fields[2] == CgroupRoot || strings.HasPrefix(fields[2], CgroupRoot+"/")) {
			return p, true
		}
	}
	return p, false
}

// Stop ends processes in an orderly way, and after grace by force. It returns
// when all are gone, or ctx ends.
func Stop(ctx context.Context, processes []Process, grace time.Duration) error {
	signal(processes, syscall.SIGTERM)
	if waitGone(ctx, processes, grace) {
		return nil
	}
	signal(processes, syscall.SIGKILL)
	waitGone(ctx, processes, 10*time.Second)
	return ctx.Err()
}

// Kill ends processes by force.
func Kill(ctx context.Context, processes []Process) error {
	signal(processes, syscall.SIGKILL)
	waitGone(ctx, processes, 10*time.Second)
	return ctx.Err()
}

func signal(processes []Process, s syscall.Signal) {
	for _, p := range processes {
		if _, still := ProcessOf(p.PID); still {
			_ = syscall.Kill(p.PID, s) // it may have ended by itself meanwhile
		}
	}
}

func waitGone(ctx context.Context, processes []Process, limit time.Duration) bool {
	deadline := time.Now().Add(limit)
	for ctx.Err() == nil && time.Now().Before(deadline) {
		if !slices.ContainsFunc(processes, alive) {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return !slices.ContainsFunc(processes, alive)
}

func alive(p Process) bool {
	_, still := ProcessOf(p.PID)
	return still
}
