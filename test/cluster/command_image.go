package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/sonde-dev/sonde/test/cluster/internal/cluster"
	"github.com/sonde-dev/sonde/test/cluster/internal/image"
)

const imageHelp = `Makes an image of one layer, the same bytes from the same files, and writes it as an
archive that ` + "`load`" + ` takes. It has /tmp and names for root and nonroot (65532).

    cluster image --name docker.io/sonde-dev/sonde:dev --binary bin/collector \
        --user 65532:65532 --output sonde.tar

` + "`image busybox --output FILE`" + ` makes docker.io/library/busybox:1.36 of the machine's
static busybox. A program must be linked statically (CGO_ENABLED=0).

` + "`--node DIR`" + ` takes a package with package.json, package-lock.json and code in *.js and
*.mjs, and makes an image that runs its main: at /app, with what the lock names and
with Node, whatever Node the machine has. npm is installed where it is missing.
`

// imageFlags is what an image is made from, as given.
type imageFlags struct {
	name, entrypoint, user, output, node string
	binaries, files                      []string
}

func makeImage(ctx context.Context, e environment, c command, args []string) error {
	preset := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		preset, args = args[0], args[1:]
	}
	f, err := parseImage(e, c, args)
	if err != nil {
		return err
	}
	made, err := f.image(ctx, e, preset)
	if err != nil {
		return err
	}
	if err := image.Write(made, e.abs(f.output)); err != nil {
		return err
	}
	e.progress.Say("wrote %s to %s", made.Name, e.abs(f.output))
	return nil
}

func parseImage(e environment, c command, args []string) (imageFlags, error) {
	var f imageFlags
	fs := e.flags(c)
	fs.StringVar(&f.name, "name", "", "the image's name in full: docker.io/sonde-dev/sonde:dev")
	fs.StringVar(&f.entrypoint, "entrypoint", "", "what runs (default: the first binary)")
	fs.StringVar(&f.user, "user", "", "UID or UID:GID to run as (default: root)")
	fs.StringVar(&f.output, "output", "", "the archive to write")
	fs.StringVar(&f.node, "node", "", "folder of a package for Node")
	list := func(into *[]string) func(string) error {
		return func(value string) error { *into = append(*into, value); return nil }
	}
	fs.Func("binary", "PATH[:/path/in/image] of a program; may be given again", list(&f.binaries))
	fs.Func("file", "SRC:/path/in/image of a file or a folder's content; may be given again", list(&f.files))
	if err := fs.Parse(args); err != nil {
		return f, err
	}
	var errs []error
	if f.output == "" {
		errs = append(errs, errors.New("--output: which file?"))
	}
	if fs.NArg() > 0 {
		errs = append(errs, fmt.Errorf("not understood: %q", fs.Args()))
	}
	return f, errors.Join(errs...)
}

// image is the one that the flags, or the preset, describe.
func (f imageFlags) image(ctx context.Context, e environment, preset string) (image.Image, error) {
	switch preset {
	case "busybox":
		return cluster.Busybox(ctx)
	case "":
	default:
		return image.Image{}, fmt.Errorf("no preset %q; there is busybox", preset)
	}
	if f.name == "" || len(f.binaries)+len(f.files)+len(f.node) == 0 {
		return image.Image{}, errors.New("--name, and --binary, --file or --node, must be given")
	}
	made := image.Image{Name: f.name, User: f.user, Entries: image.Base(), Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin"}}
	if f.node != "" {
		if err := nodeImage(ctx, e, e.abs(f.node), &made); err != nil {
			return image.Image{}, err
		}
	}
	entrypoint := f.entrypoint
	for _, pair := range append(append([]string{}, f.binaries...), f.files...) {
		from, to := splitPair(pair)
		entries, err := image.FromHost(e.abs(from), to)
		if err != nil {
			return image.Image{}, err
		}
		made.Entries = append(made.Entries, entries...)
		if entrypoint == "" && len(f.binaries) > 0 {
			entrypoint = to
		}
	}
	if entrypoint != "" {
		made.Entrypoint = []string{entrypoint}
	}
	return made, nil
}

// splitPair splits FROM:TO; without TO it is FROM's name at the image's root.
func splitPair(pair string) (from, to string) {
	if from, to, ok := strings.Cut(pair, ":"); ok {
		return from, path.Clean("/" + to)
	}
	return pair, "/" + path.Base(pair)
}
