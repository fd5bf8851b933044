package main

import (
	"context"
	"errors"
	"strings"

	"github.com/sonde-dev/sonde/test/cluster/internal/host"
)

const packagesHelp = `Installs those of the named Debian packages that are not there. Needs root for that;
without it says which are missing. The race detector needs a C compiler:

    go -C test/cluster run . packages gcc libc6-dev
`

func packages(ctx context.Context, e environment, c command, args []string) error {
	fs := e.flags(c)
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return errors.New("packages: which?")
	}
	missing := host.Uninstalled(ctx, fs.Args())
	if len(missing) == 0 {
		return nil
	}
	e.progress.Say("installing %s", strings.Join(missing, ", "))
	return host.InstallPackages(ctx, missing)
}
