// Package image makes container images without a daemon: one layer, and the
// same bytes from the same files whenever it is made.
package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Image is what an image is to be.
type Image struct {
	// Name is in full: docker.io/sonde-dev/sonde:dev.
	Name       string
	Entries    []Entry
	Entrypoint []string
	Command    []string
	// User is UID or UID:GID; empty is root.
	User string
	Env  []string
}

// Entry is one file, folder or link of the layer, owned by root.
type Entry struct {
	// Path is in the image, absolute.
	Path string
	// Mode is the permission bits.
	Mode int64
	// Type is one of tar.TypeReg, tar.TypeDir, tar.TypeSymlink.
	Type byte
	// Link is what a symbolic link points at.
	Link    string
	Content []byte
}

// Base is what programs expect of any system: a folder for temporary files, and
// names for root and for the user 65532 that images conventionally run as.
func Base() []Entry {
	return []Entry{
		{Path: "/tmp", Mode: 0o1777, Type: tar.TypeDir},
		{Path: "/etc/passwd", Mode: 0o644, Type: tar.TypeReg, Content: []byte(
			"root:x:0:0:root:/root:/bin/sh\nnonroot:x:65532:65532:nonroot:/tmp:/bin/sh\n")},
		{Path: "/etc/group", Mode: 0o644, Type: tar.TypeReg, Content: []byte("root:x:0:\nnonroot:x:65532:\n")},
	}
}

// Write makes the image as a docker-archive, which `ctr images import` and
// `docker load` take.
func Write(i Image, file string) error {
	tag, err := name.NewTag(i.Name, name.WithDefaultTag("latest"))
	if err != nil {
		return err
	}
	layer, err := Layer(i.Entries)
	if err != nil {
		return err
	}
	made, err := assemble(i, layer)
	if err != nil {
		return err
	}
	if err := tarball.WriteToFile(file, tag, made); err != nil {
		return fmt.Errorf("write image %s: %w", i.Name, err)
	}
	return nil
}

func assemble(i Image, content []byte) (v1.Image, error) {
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	})
	if err != nil {
		return nil, err
	}
	made, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	config, err := made.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{Entrypoint: i.Entrypoint, Cmd: i.Command, User: i.User, Env: i.Env, WorkingDir: "/"}
	return mutate.ConfigFile(made, config)
}

// Layer is the entries as a tar, sorted, with the folders that lead to them, and
// with one fixed time so that it depends on nothing else.
func Layer(entries []Entry) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range withParents(entries) {
		header := &tar.Header{
			Name: strings.TrimPrefix(e.Path, "/"), Mode: e.Mode, Typeflag: e.Type, Linkname: e.Link,
			Size: int64(len(e.Content)), ModTime: time.Unix(0, 0), Format: tar.FormatPAX,
		}
		if e.Type == tar.TypeDir {
			header.Name += "/"
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("layer entry %s: %w", e.Path, err)
		}
		if _, err := w.Write(e.Content); err != nil {
			return nil, fmt.Errorf("layer entry %s: %w", e.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// withParents sorts, lets the last of several entries of one path win, and adds
// folders that are missing.
func withParents(entries []Entry) []Entry {
	byPath := map[string]Entry{}
	for _, e := range entries {
		e.Path = path.Clean("/" + e.Path)
		for dir := path.Dir(e.Path); dir != "/"; dir = path.Dir(dir) {
			if _, there := byPath[dir]; !there {
				byPath[dir] = Entry{Path: dir, Mode: 0o755, Type: tar.TypeDir}
			}
		}
		byPath[e.Path] = e
	}
	all := make([]Entry, 0, len(byPath))
	for _, e := range byPath {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	return all
}
