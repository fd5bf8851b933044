package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// shown is a destination with its endpoint as text.
type shown struct {
	Destination export.Destination
	Endpoint    string
}

func show(all []export.Destination) []shown {
	var out []shown
	for _, d := range all {
		s := shown{d, d.Endpoint.String()}
		s.Destination.Endpoint = nil
		out = append(out, s)
	}
	return out
}

// destinationDefaults is what parseDestination returns for https://otlp.example.
func destinationDefaults() shown {
	return shown{
		export.Destination{
			Name: "otlp.example", Protocol: "http/protobuf", Compression: "gzip",
			Interval: time.Minute, Timeout: 10 * time.Second, MaxPoints: 10_000,
		}, "https://otlp.example/v1/metrics",
	}
}

func TestDestinations(t *testing.T) {
	headers := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(headers, []byte("Authorization: Basic abc==\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		edit []func(*shown) // of each destination
	}{
		"none": {},
		"an endpoint alone": {
			args: []string{"--otlp-destination=endpoint=https://otlp.example"},
			edit: []func(*shown){func(*shown) {}},
		},
		"a base path": {
			args: []string{"--otlp-destination", "endpoint=https://otlp.example/api/v1/otlp/"},
			edit: []func(*shown){func(s *shown) { s.Endpoint = "https://otlp.example/api/v1/otlp/v1/metrics" }},
		},
		"all keys of one, and another": {
			args: []string{
				"--otlp-destination=name=grafana,endpoint=http://otlp.example:4317,protocol=grpc,compression=none,interval=10s,timeout=5s,batch=500,headers-file=" + headers,
				"--otlp-destination=endpoint=https://otlp.example",
			},
			edit: []func(*shown){func(s *shown) {
				s.Endpoint = "http://otlp.example:4317"
				d := &s.Destination
				d.Name, d.Protocol, d.Compression, d.HeadersFile = "grafana", "grpc", "none", headers
				d.Interval, d.Timeout, d.MaxPoints = 10*time.Second, 5*time.Second, 500
			}, func(*shown) {}},
		},
		"several in the variable": {
			env: map[string]string{"SONDE_OTLP_DESTINATION": "\n  endpoint=https://otlp.example\n  name=b,endpoint=https://otlp.example c"},
			// The c is a fault, below.
			args: []string{"--otlp-destination=endpoint=https://otlp.example", "--otlp-destination=endpoint=https://otlp.example,name=b"},
			edit: []func(*shown){func(*shown) {}, func(s *shown) { s.Destination.Name = "b" }},
		},
		"the variable alone": {
			env:  map[string]string{"SONDE_OTLP_DESTINATION": "endpoint=https://otlp.example\n  name=b,endpoint=https://otlp.example\n"},
			edit: []func(*shown){func(*shown) {}, func(s *shown) { s.Destination.Name = "b" }},
		},
		"the standard variables alone": {
			env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example"},
			edit: []func(*shown){func(s *shown) {
				s.Destination.Name, s.Destination.Compression = "env", "none"
			}},
		},
		"the standard variables with all they have, beside a flag": {
			args: []string{"--otlp-destination=endpoint=https://otlp.example"},
			env: map[string]string{
				"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otlp.example:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
				"OTEL_EXPORTER_OTLP_TIMEOUT": "1500", "OTEL_METRIC_EXPORT_INTERVAL": "2000", "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20abc%3D%3D, x-scope-orgid = 1",
				"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "Cumulative",
			},
			edit: []func(*shown){func(*shown) {}, func(s *shown) {
				s.Endpoint = "http://otlp.example:4317"
				d := &s.Destination
				d.Name, d.Protocol, d.Timeout, d.Interval = "env", "grpc", 1500*time.Millisecond, 2*time.Second
				d.Headers = []export.Header{{Name: "authorization", Value: "Basic abc=="}, {Name: "x-scope-orgid", Value: "1"}}
			}},
		},
		"those for metrics win, and their endpoint is the whole": {
			env: map[string]string{
				"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://otlp.example/push/v1/metrics", "OTEL_EXPORTER_OTLP_ENDPOINT": "https://other.example",
				"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
			},
			edit: []func(*shown){func(s *shown) {
				s.Endpoint, s.Destination.Name, s.Destination.Compression = "https://otlp.example/push/v1/metrics", "env", "none"
			}},
		},
		"a gRPC endpoint without a scheme": {
			env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "otlp.example:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
			edit: []func(*shown){func(s *shown) {
				s.Endpoint, s.Destination.Name, s.Destination.Protocol, s.Destination.Compression = "https://otlp.example:4317", "env", "grpc", "none"
			}},
		},
		"an insecure one": {
			env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "otlp.example:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_INSECURE": "true"},
			edit: []func(*shown){func(s *shown) {
				s.Endpoint, s.Destination.Name, s.Destination.Protocol, s.Destination.Compression = "http://otlp.example:4317", "env", "grpc", "none"
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := world(tc.env)
			got, err := parseReceiver(tc.args, p)
			if err != nil {
				t.Fatal(err)
			}
			var want []shown
			for _, edit := range tc.edit {
				s := destinationDefaults()
				edit(&s)
				want = append(want, s)
			}
			if diff := cmp.Diff(want, show(got.Destinations)); diff != "" {
				t.Errorf("parseReceiver(%q) (-want +got):\n%s", tc.args, diff)
			}
		})
	}
}

// TestFaultsOfDestinations has all faults in a golden file: what they say is the help
// of somebody who has no other. No secret is in it.
func TestFaultsOfDestinations(t *testing.T) {
	dir := t.TempDir() + "/" // DIR/ below
	for name, text := range map[string]string{"bad-headers": "Authorization s3cret\ncontent-type: s3cret\n", "empty.pem": ""} {
		if err := os.WriteFile(dir+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	say := func(what string, args []string, env map[string]string) {
		p, _ := world(env)
		_, err := parseReceiver(args, p)
		if _, usage := errors.AsType[*usageError](err); !usage {
			t.Errorf("%s: parseReceiver(%q) = %v, want a usageError", what, args, err)
			return
		}
		got.WriteString("# " + what + "\n" + strings.ReplaceAll(err.Error(), dir, "DIR/") + "\n\n")
	}
	flags := func(specs ...string) (args []string) {
		for _, s := range specs {
			args = append(args, "--otlp-destination="+strings.ReplaceAll(s, "DIR/", dir))
		}
		return args
	}
	say("no endpoint", flags("name=a"), nil)
	say("every value is wrong, in two destinations",
		append(flags("name=a b", "name=a,endpoint=https://otlp.example,protocol=http/json,compression=zstd,interval=100ms,timeout=0s,batch=0,headers-file=,ca-file=,cert-file=,key-file="), "--max-series=0"), nil)
	say("a key twice, and one that is none", flags("endpoint=https://otlp.example,endpoint=https://otlp.example,temporality=delta"), nil)
	say("a secret in the wrong place", flags("endpoint=https://me:s3cret@otlp.example", "endpoint=https://otlp.example/?s3cret=1", "endpoint=https://otlp.example,headers=Authorization=s3cret,S3CRET==", "endpoint=https://me:s3cret@:x"), nil)
	say("endpoints", flags("endpoint=otlp.example:4318", "endpoint=ftp://otlp.example", "endpoint=https://otlp.example/v1/metrics", "endpoint=https://otlp.example/otlp,protocol=grpc"), nil)
	say("two of one name", flags("endpoint=https://otlp.example", "endpoint=https://otlp.example:2"), nil)
	say("files", flags("endpoint=https://otlp.example,headers-file=DIR/none,ca-file=DIR/none,cert-file=DIR/none,key-file=DIR/none"), nil)
	say("what is in files", flags("endpoint=https://otlp.example,headers-file=DIR/bad-headers,ca-file=DIR/empty.pem,cert-file=DIR/empty.pem,key-file=DIR/empty.pem"), nil)
	say("a certificate without a key, a key without a certificate, for plaintext", flags("endpoint=http://otlp.example,cert-file=DIR/empty.pem", "name=b,endpoint=http://otlp.example,key-file=DIR/empty.pem"), nil)
	say("the variable, with something after a blank", nil, map[string]string{"SONDE_OTLP_DESTINATION": "endpoint=https://otlp.example,headers=Authorization=Basic s3cret=="})
	say("the standard variables", nil, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "https://me:s3cret@otlp.example", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION": "zstd",
		"OTEL_EXPORTER_OTLP_TIMEOUT": "10s", "OTEL_METRIC_EXPORT_INTERVAL": "0", "OTEL_EXPORTER_OTLP_HEADERS": "s3cret,a=%s3cret,te=s3cret,b=s3cr%0aet,%s3cret=1",
		"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
	})
	say("the standard variables' files", nil, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otlp.example", "OTEL_EXPORTER_OTLP_CERTIFICATE": dir + "none", "OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE": dir + "none",
	})
	say("the standard variables' destination and one of its name", flags("name=env,endpoint=https://otlp.example"), map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example"})

	if strings.Contains(strings.ToLower(got.String()), "s3cret") {
		t.Errorf("there is a secret in\n%s", got.String())
	}
	golden(t, "destination-faults", got.String())
}
