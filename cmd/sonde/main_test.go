package main

import (
	"bytes"
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// world is a process with that environment.
func world(env map[string]string) (process, *bytes.Buffer) {
	var stdout bytes.Buffer
	return process{getenv: func(name string) string { return env[name] }, stdout: &stdout, stderr: &bytes.Buffer{}}, &stdout
}

func TestHelp(t *testing.T) {
	for name, args := range map[string][]string{
		"sonde":            nil,
		"sonde-help":       {"help"},
		"sonde-controller": {"controller", "--help"},
		"sonde-receiver":   {"receiver", "-h"},
	} {
		t.Run(name, func(t *testing.T) {
			p, stdout := world(map[string]string{"POD_NAMESPACE": "sonde-system"})
			if err := run(t.Context(), args, p); err != nil && !errors.Is(err, flag.ErrHelp) {
				t.Fatal(err)
			}
			golden(t, name, stdout.String())
		})
	}
}

// golden compares got with a golden file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-golden +got), go test -update to accept:\n%s", file, diff)
	}
}

func TestVersion(t *testing.T) {
	p, stdout := world(nil)
	if err := run(t.Context(), []string{"version"}, p); err != nil {
		t.Fatal(err)
	}
	if fields := strings.Fields(stdout.String()); len(fields) != 4 || fields[0] != "sonde" || fields[1] != version {
		t.Errorf("sonde version = %q, want sonde, its version, Go's and the platform", stdout)
	}
}

func TestUnknownCommandIsAFaultOfUsage(t *testing.T) {
	p, _ := world(nil)
	err := run(t.Context(), []string{"colect"}, p)
	if usage := new(usageError); !errors.As(err, &usage) {
		t.Fatalf("run(colect) = %v, want a usageError, which is exit code 2", err)
	}
	if want := `there is no command "colect"; sonde --help lists them`; err.Error() != want {
		t.Errorf("run(colect) = %q, want %q", err, want)
	}
}

// receiverDefaults is what parseReceiver returns for nothing at all.
func receiverDefaults() receiverConfig {
	return receiverConfig{
		commonFlags:   commonFlags{LogLevel: slog.LevelInfo, Shards: 1},
		KeyDir:        "/etc/sonde/key",
		DataDir:       "/var/lib/sonde",
		CheckAddress:  ":8080",
		OTLPHTTP:      ":4318",
		OTLPGRPC:      ":4317",
		ReaderAddress: ":8081",
		MaxSeries:     300_000,
		ShutdownGrace: 10 * time.Second,
	}
}

func TestReceiverFlags(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		edit func(*receiverConfig)
	}{
		"nothing is the defaults": {edit: func(*receiverConfig) {}},
		"the environment over the default": {
			env:  map[string]string{"SONDE_CHECK_ADDRESS": ":1", "SONDE_LOG_LEVEL": "debug", "SONDE_CLASSIC_BUCKETS": "true"},
			edit: func(c *receiverConfig) { c.CheckAddress, c.LogLevel, c.ClassicBuckets = ":1", slog.LevelDebug, true },
		},
		"a flag over the environment": {
			args: []string{"--check-address=:2", "--namespaces", "c"},
			env:  map[string]string{"SONDE_CHECK_ADDRESS": ":1", "SONDE_NAMESPACES": "a,b"},
			edit: func(c *receiverConfig) { c.CheckAddress, c.Namespaces = ":2", list{"c"} },
		},
		"an empty variable is none": {
			env:  map[string]string{"SONDE_KEY_DIR": ""},
			edit: func(*receiverConfig) {},
		},
		"a list loses its blanks": {
			args: []string{"--check-labels= owner, ,severity,"},
			edit: func(c *receiverConfig) { c.CheckLabels = list{"owner", "severity"} },
		},
		"the shard is the number of its pod": {
			args: []string{"--shards=8"},
			env:  map[string]string{"SONDE_SHARD": "sonde-receiver-3"},
			edit: func(c *receiverConfig) { c.Shards, c.Shard = 8, 3 },
		},
		"the shard as a number": {
			args: []string{"--shards=11", "--shard=10"},
			edit: func(c *receiverConfig) { c.Shards, c.Shard = 11, 10 },
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := world(tc.env)
			got, err := parseReceiver(tc.args, p)
			if err != nil {
				t.Fatal(err)
			}
			want := receiverDefaults()
			tc.edit(&want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(receiverConfig{})); diff != "" {
				t.Errorf("parseReceiver(%q) (-want +got):\n%s", tc.args, diff)
			}
		})
	}
}

func TestFaultsOfFlags(t *testing.T) {
	receiver := func(args []string, p process) error { _, err := parseReceiver(args, p); return err }
	controller := func(args []string, p process) error { _, err := parseController(args, p); return err }
	for name, tc := range map[string]struct {
		parse func([]string, process) error
		args  []string
		env   map[string]string
		want  []string // the lines of the error
	}{
		"every value out of range": {
			receiver,
			[]string{"--shards=0", "--shard=2", "--max-series=0"},
			nil,
			[]string{
				"--shards: must be from 1 to 1000, not 0",
				"--max-series: must be at least 1, not 0",
			},
		},
		"the shard is too large": {
			receiver,
			[]string{"--shards=3", "--shard=sonde-receiver-3"},
			nil,
			[]string{"--shard: must be from 0 to 2, one less than --shards, not 3"},
		},
		"the shard is negative": {
			receiver,
			[]string{"--shards=3", "--shard=-1"},
			nil,
			[]string{"--shard: must be from 0 to 2, one less than --shards, not -1"},
		},
		"the shard does not end in a number": {
			receiver,
			[]string{"--shard=sonde-receiver-3x"},
			nil,
			[]string{`invalid value "sonde-receiver-3x" for flag -shard: must be a number, or a name that ends in one; sonde receiver --help lists the flags`},
		},
		"faults of the environment beside one of a flag": {
			receiver,
			[]string{"--nonsense"},
			map[string]string{"SONDE_MAX_SERIES": "many", "SONDE_SHUTDOWN_GRACE": "5"},
			[]string{
				`environment variable SONDE_MAX_SERIES="many": parse error`,
				`environment variable SONDE_SHUTDOWN_GRACE="5": parse error`,
				"flag provided but not defined: -nonsense; sonde receiver --help lists the flags",
			},
		},
		"an argument that is no flag": {
			controller,
			[]string{"--namespace=sonde", "now"},
			nil,
			[]string{`unexpected argument "now"`},
		},
		"outside a cluster the namespace is required": {
			controller,
			[]string{"--shards=1001", "--namespace="},
			nil,
			[]string{"--shards: must be from 1 to 1000, not 1001", "--namespace: is required outside a cluster"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := world(tc.env)
			err := tc.parse(tc.args, p)
			if usage := new(usageError); !errors.As(err, &usage) {
				t.Fatalf("parse(%q) = %v, want a usageError", tc.args, err)
			}
			if diff := cmp.Diff(tc.want, strings.Split(err.Error(), "\n")); diff != "" {
				t.Errorf("parse(%q) (-want +got):\n%s", tc.args, diff)
			}
		})
	}
}

func TestControllerFlags(t *testing.T) {
	p, _ := world(map[string]string{"POD_NAMESPACE": "sonde-system", "SONDE_LEADER_ELECT": "false", "SONDE_KEY_SECRET": "k"})
	got, err := parseController([]string{"--namespaces=b,a,b", "--key-secret=key"}, p)
	if err != nil {
		t.Fatal(err)
	}
	want := controllerConfig{
		commonFlags: commonFlags{LogLevel: slog.LevelInfo, Shards: 1, Namespaces: list{"b", "a", "b"}},
		Namespace:   "sonde-system", ReceiverService: "sonde-receiver", KeySecret: "key",
		HealthAddress: ":8081", MetricsAddress: ":8080", StuckPatience: 2 * time.Minute,
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(controllerConfig{})); diff != "" {
		t.Errorf("parseController() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, got.Namespaces.sorted()); diff != "" {
		t.Errorf("sorted() (-want +got):\n%s", diff)
	}
}
