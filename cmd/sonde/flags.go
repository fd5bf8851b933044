package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
)

// commonFlags are those that controller and receiver share.
type commonFlags struct {
	LogLevel   slog.Level
	Namespaces list // none means all
	Shards     int
}

func (c *commonFlags) register(fs *flag.FlagSet) {
	fs.TextVar(&c.LogLevel, "log-level", slog.LevelInfo, "least `level` that is logged: debug, info, warn or error")
	fs.Var(&c.Namespaces, "namespaces", "comma-separated `names` of the namespaces to look after (default all)")
	fs.IntVar(&c.Shards, "shards", 1, "`number` of receivers; the same for controller and receivers, fixed at installation")
}

func (c *commonFlags) faults() []error {
	if c.Shards < 1 || c.Shards > 1000 {
		return []error{fmt.Errorf("--shards: must be from 1 to 1000, not %d", c.Shards)}
	}
	return nil
}

// list is a flag of comma-separated words.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	*l = nil
	for word := range strings.SplitSeq(s, ",") {
		if word = strings.TrimSpace(word); word != "" {
			*l = append(*l, word)
		}
	}
	return nil
}

// environmentReader is a flag that may be given several times, and has to know which
// of its values a flag wins over.
type environmentReader interface {
	// environmentRead is called once, after what the environment says was set.
	environmentRead()
}

// parse reads args over the environment over the defaults into the flags of fs. The
// text about goes before the flags in the help.
func parse(fs *flag.FlagSet, about string, args []string, p process) error {
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	var faults []error
	fs.VisitAll(func(f *flag.Flag) {
		name := "SONDE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v := p.getenv(name); v != "" {
			if err := fs.Set(f.Name, v); err != nil {
				faults = append(faults, fmt.Errorf("environment variable %s=%q: %w", name, v, err))
			}
		}
		if r, ok := f.Value.(environmentReader); ok {
			r.environmentRead()
		}
	})
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		printHelp(fs, about, p.stdout)
		return err
	case err != nil:
		faults = append(faults, fmt.Errorf("%w; sonde %s --help lists the flags", err, fs.Name()))
	case fs.NArg() > 0:
		faults = append(faults, fmt.Errorf("unexpected argument %q", fs.Arg(0)))
	}
	if len(faults) > 0 {
		return &usageError{errors.Join(faults...)}
	}
	return nil
}

func printHelp(fs *flag.FlagSet, about string, w io.Writer) {
	_, _ = fmt.Fprintf(w, "%s\nUsage:\n  sonde %s [FLAGS]\n\nFlags:\n", about, fs.Name())
	fs.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		line := fmt.Sprintf("  --%s %s", f.Name, value)
		if f.DefValue != "" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		_, _ = fmt.Fprintf(w, "%-36s %s\n", line, usage)
	})
}

// ownNamespace returns the namespace that this process runs in: the variable that
// the manifests set, else the one of its service account.
func ownNamespace(p process) string {
	const file = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	if ns := p.getenv("POD_NAMESPACE"); ns != "" {
		return ns
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

// sorted returns the words of l in order, each once.
func (l *list) sorted() []string {
	out := slices.Clone(*l)
	slices.Sort(out)
	return slices.Compact(out)
}
