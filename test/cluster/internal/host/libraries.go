package host

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Libraries returns the paths of what a program is linked with dynamically, the
// loader among it, and what the C library loads by itself to look up names.
func Libraries(ctx context.Context, program string) ([]string, error) {
	output, err := Output(ctx, "ldd", program)
	if err != nil {
		return nil, err
	}
	paths, err := librariesOf(output)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", program, err)
	}
	for _, path := range paths {
		if strings.HasPrefix(filepath.Base(path), "libc.so") {
			paths = append(paths, resolvers(filepath.Dir(path))...)
			break
		}
	}
	return paths, nil
}

// librariesOf reads what ldd prints: "NAME => PATH (ADDRESS)", "PATH (ADDRESS)" for
// the loader, and "NAME (ADDRESS)" for what the kernel brings.
func librariesOf(output string) ([]string, error) {
	var paths []string
	for line := range strings.Lines(output) {
		name, path, found := strings.Cut(strings.TrimSpace(line), " => ")
		if !found {
			path = name
		}
		path, _, _ = strings.Cut(path, " (")
		switch {
		case path == "not found":
			return nil, fmt.Errorf("this machine has no %s", name)
		case filepath.IsAbs(path):
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// resolvers returns those files of the C library that are beside it: since 2.34 it
// has in itself what it used to load from there.
func resolvers(dir string) []string {
	var paths []string
	for _, name := range []string{"libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"} {
		if path := filepath.Join(dir, name); installed(path) {
			paths = append(paths, path)
		}
	}
	return paths
}
