package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// unmountFlags: what is busy is detached, and nothing is followed out of our folder.
const unmountFlags = syscall.MNT_DETACH | 8 // 8 is UMOUNT_NOFOLLOW

// MountsBelow are the mount points in or below the folders, deepest last mounted first.
func MountsBelow(dirs ...string) ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return mountsBelow(string(text), dirs), nil
}

func mountsBelow(mountinfo string, dirs []string) []string {
	var found []string
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		point := unescape(fields[4])
		for _, dir := range dirs {
			if point == dir || strings.HasPrefix(point, dir+"/") {
				found = append([]string{point}, found...)
				break
			}
		}
	}
	return found
}

// unescape undoes the octal escapes of mountinfo for space, tab, newline and backslash.
func unescape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if code, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// RemoveTree unmounts all below dir and removes it. It removes nothing while
// anything is still mounted there: a volume may be a folder of the host.
func RemoveTree(dir string) error {
	for range 3 { // one path may be mounted on more than once
		mounts, err := MountsBelow(dir)
		if err != nil {
			return err
		}
		for _, point := range mounts {
			if err := syscall.Unmount(point, unmountFlags); err != nil && !errors.Is(err, syscall.EINVAL) {
				return fmt.Errorf("unmount %s: %w", point, err)
			}
		}
	}
	mounts, err := MountsBelow(dir)
	if err != nil {
		return err
	}
	if len(mounts) > 0 {
		return fmt.Errorf("still mounted, so %s is left as it is: %s", dir, strings.Join(mounts, ", "))
	}
	return os.RemoveAll(dir)
}

// RemoveLinksInto removes from folder the symbolic links whose target is below dir.
func RemoveLinksInto(folder, dir string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, entry := range entries {
		link := filepath.Join(folder, entry.Name())
		target, err := os.Readlink(link)
		if err == nil && strings.HasPrefix(target, dir+"/") {
			errs = append(errs, os.Remove(link))
		}
	}
	return errors.Join(errs...)
}
