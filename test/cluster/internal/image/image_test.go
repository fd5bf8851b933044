package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// program is a file that can be executed.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("ELF"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLayerOfBusybox(t *testing.T) {
	busybox, err := Busybox(program(t), []string{"busybox", "sh", "[["})
	if err != nil {
		t.Fatal(err)
	}
	layer, err := Layer(busybox.Entries)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"drwxr-xr-x bin/", "-rwxrwxrwx bin/[[ -> /bin/busybox", "-rwxr-xr-x bin/busybox", "-rwxrwxrwx bin/sh -> /bin/busybox",
		"drwxr-xr-x etc/", "-rw-r--r-- etc/group", "-rw-r--r-- etc/passwd", "dtrwxrwxrwx tmp/",
	}
	if diff := cmp.Diff(want, listing(t, layer)); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
}

func listing(t *testing.T, layer []byte) []string {
	t.Helper()
	var lines []string
	for r := tar.NewReader(bytes.NewReader(layer)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.ModTime.Unix() != 0 || header.Uid != 0 {
			t.Errorf("%s has time %s and owner %d", header.Name, header.ModTime, header.Uid)
		}
		mode := header.FileInfo().Mode() &^ os.ModeSymlink
		line := fmt.Sprintf("%s %s", mode, header.Name)
		if header.Linkname != "" {
			line += " -> " + header.Linkname
		}
		lines = append(lines, line)
	}
}

func TestWriteIsTheSameEachTime(t *testing.T) {
	entries, err := FromHost(program(t), "/collector")
	if err != nil {
		t.Fatal(err)
	}
	made := Image{
		Name: "docker.io/sonde-dev/sonde:dev", Entries: append(Base(), entries...),
		Entrypoint: []string{"/collector"}, User: "65532:65532",
	}
	var archives [2][]byte
	for i := range archives {
		file := filepath.Join(t.TempDir(), "image.tar")
		if err := Write(made, file); err != nil {
			t.Fatal(err)
		}
		if archives[i], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
		check(t, file, made)
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of one image differ")
	}
}

// check reads the archive as another program would.
func check(t *testing.T, file string, made Image) {
	t.Helper()
	tag, err := name.NewTag(made.Name)
	if err != nil {
		t.Fatal(err)
	}
	read, err := tarball.ImageFromPath(file, &tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := read.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made.Entrypoint, config.Config.Entrypoint); diff != "" || config.Config.User != made.User {
		t.Errorf("user %q, entrypoint (-want +got):\n%s", config.Config.User, diff)
	}
}

func TestFromHostTakesAFolder(t *testing.T) {
	folder := t.TempDir()
	for _, file := range []string{"a.txt", "b/c.txt"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := FromHost(folder, "/data")
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{Path: "/data/a.txt", Mode: 0o644, Type: tar.TypeReg, Content: []byte("a.txt")},
		{Path: "/data/b/c.txt", Mode: 0o644, Type: tar.TypeReg, Content: []byte("b/c.txt")},
	}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}
