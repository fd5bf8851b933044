package image

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// FromHost is a file of this machine as an entry at to, or a folder's whole
// content as entries below it. Of the mode only "may be executed" is kept.
func FromHost(from, to string) ([]Entry, error) {
	var entries []Entry
	err := filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		entry, err := entryOf(file, path.Join(to, filepath.ToSlash(below)))
		entries = append(entries, entry)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("files of image: %w", err)
	}
	return entries, nil
}

func entryOf(file, to string) (Entry, error) {
	info, err := os.Stat(file) // follows links: an image has the file itself
	if err != nil {
		return Entry{}, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return Entry{}, err
	}
	mode := int64(0o644)
	if info.Mode()&0o111 != 0 {
		mode = 0o755
	}
	return Entry{Path: to, Mode: mode, Type: tar.TypeReg, Content: content}, nil
}

// Busybox is an image of a static busybox, with a link for each of its applets.
func Busybox(program string, applets []string) (Image, error) {
	const home = "/bin/busybox"
	entries, err := FromHost(program, home)
	if err != nil {
		return Image{}, err
	}
	entries = append(entries, Base()...)
	for _, applet := range applets {
		if link := path.Join("/bin", applet); link != home {
			entries = append(entries, Entry{Path: link, Mode: 0o777, Type: tar.TypeSymlink, Link: home})
		}
	}
	return Image{
		Name: "docker.io/library/busybox:1.36", Entries: entries, Command: []string{"sh"},
		Env: []string{"PATH=/bin"},
	}, nil
}

// Pause is the image that holds a pod's namespaces.
func Pause(program string) (Image, error) {
	entries, err := FromHost(program, "/pause")
	return Image{
		Name: "registry.k8s.io/pause:3.10", Entries: entries,
		Entrypoint: []string{"/pause"}, User: "65532:65532",
	}, err
}

// FileName is a file name for an image of that name.
func FileName(name string) string {
	return strings.NewReplacer("/", "_", ":", "_").Replace(name) + "-" + runtime.GOARCH + ".tar"
}
