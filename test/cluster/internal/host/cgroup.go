package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const cgroupMount = "/sys/fs/cgroup"

// CgroupV1 tells whether the machine mounts the hierarchies of cgroup v1.
func CgroupV1() bool {
	_, err := os.Stat(filepath.Join(cgroupMount, "cgroup.controllers"))
	return err != nil
}

// MakeCgroups makes the cluster's cgroup in each hierarchy: a kubelet wants its
// root to be there.
func MakeCgroups() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		if err := os.MkdirAll(filepath.Join(root, CgroupRoot), 0o755); err != nil {
			return err
		}
	}
	if CgroupV1() {
		return nil
	}
	return delegate(cgroupMount)
}

// delegate lets children of a cgroup v2 use the controllers that it has.
func delegate(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for controller := range strings.FieldsSeq(string(text)) {
		// One at a time: a controller that may not be delegated must not keep back the rest.
		_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
	}
	return nil
}

// RemoveCgroups removes the cluster's cgroups, whose processes must have ended.
func RemoveCgroups() error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	var errs []error
	for _, root := range roots {
		errs = append(errs, removeCgroup(filepath.Join(root, CgroupRoot)))
	}
	return errors.Join(errs...)
}

// hierarchies are the mount points of cgroup v2, or of each controller of v1.
func hierarchies() ([]string, error) {
	if !CgroupV1() {
		return []string{cgroupMount}, nil
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var roots []string
	for _, point := range mountsBelow(string(text), []string{cgroupMount}) {
		if point != cgroupMount {
			roots = append(roots, point)
		}
	}
	return roots, nil
}

// removeCgroup removes a cgroup and those below it. The kernel may say "busy"
// for a moment after the last process has gone.
func removeCgroup(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return ignoreMissing(err)
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, path := range slices.Backward(dirs) {
		errs = append(errs, ignoreMissing(removeBusy(path)))
	}
	return errors.Join(errs...)
}

func removeBusy(path string) (err error) {
	for range 50 {
		if err = syscall.Rmdir(path); !errors.Is(err, syscall.EBUSY) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return &fs.PathError{Op: "rmdir", Path: path, Err: err}
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
