//go:build e2e

package durability

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// volume is a file system of its own in a file, as a PersistentVolume is on a disk. It
// needs root, like the cluster.
type volume struct {
	image, mount string
}

// newVolume makes and mounts one of so many bytes.
func newVolume(t *testing.T, bytes int64) *volume {
	t.Helper()
	dir := t.TempDir()
	v := &volume{image: filepath.Join(dir, "image"), mount: filepath.Join(dir, "mount")}
	if err := errors.Join(os.WriteFile(v.image, nil, 0o600), os.Truncate(v.image, bytes), os.Mkdir(v.mount, 0o755)); err != nil {
		t.Fatal(err)
	}
	command(t, "mkfs.ext4", "-q", v.image)
	v.attach(t)
	t.Cleanup(func() { _ = exec.Command("umount", "-l", v.mount).Run() }) // it may be gone already
	return v
}

func (v *volume) attach(t *testing.T) {
	t.Helper()
	command(t, "mount", "-o", "loop,errors=remount-ro", v.image, v.mount)
}

func (v *volume) detach(t *testing.T) {
	t.Helper()
	command(t, "umount", v.mount)
}

// losePower has the file system take nothing from now on, and forget all that was
// not synced: ext4's own simulation of a loss of power (FS_IOC_SHUTDOWN with
// EXT4_GOING_FLAGS_NOLOGFLUSH, fs/ext4/ioctl.c).
func (v *volume) losePower(t *testing.T) {
	t.Helper()
	const fsIocShutdown = 0x8004587d // _IOR('X', 125, __u32)
	noLogFlush := uint32(2)
	dir, err := os.Open(v.mount)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, dir.Fd(), fsIocShutdown, uintptr(unsafe.Pointer(&noLogFlush))); errno != 0 {
		t.Fatal(errno)
	}
}

// turnReadOnly has the file system find an error, at which it turns read-only, as the
// kernel does when a disk fails. Only a new mount takes writes again, which end makes: it
// succeeds since nobody holds on to a file.
func (v *volume) turnReadOnly(t *testing.T) (end func()) {
	t.Helper()
	source := strings.TrimSpace(command(t, "findmnt", "-no", "SOURCE", v.mount))
	trigger := filepath.Join("/sys/fs/ext4", filepath.Base(source), "trigger_fs_error")
	if err := os.WriteFile(trigger, []byte("a test\n"), 0o200); err != nil {
		t.Fatal(err)
	}
	return func() {
		v.detach(t)
		v.attach(t)
	}
}

// fill fills the volume up to the last block, until end.
func (v *volume) fill(t *testing.T) (end func()) {
	t.Helper()
	path := filepath.Join(v.mount, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 4 << 10, 1} {
		block := make([]byte, size)
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
