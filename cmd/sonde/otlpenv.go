package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// environmentName is what the destination of the standard variables is called.
const environmentName = "env"

// otlpVariables are the standard variables of OTLP exporters (specification:
// protocol/exporter.md). They are read here and not by the SDK, which would log what it
// does not understand, values of headers included, and go on without.
type otlpVariables struct {
	getenv func(string) string
	faults []error
}

// get returns the value of the variable for metrics, else that for all signals, and
// its name.
func (v *otlpVariables) get(suffix string) (value, name string) {
	name = "OTEL_EXPORTER_OTLP_METRICS_" + suffix
	if value = strings.TrimSpace(v.getenv(name)); value != "" {
		return value, name
	}
	name = "OTEL_EXPORTER_OTLP_" + suffix
	return strings.TrimSpace(v.getenv(name)), name
}

func (v *otlpVariables) fault(name string, err error) {
	if err != nil {
		v.faults = append(v.faults, fmt.Errorf("environment variable %s: %w", name, err))
	}
}

// environmentDestination returns the destination that the standard variables name, and
// whether they do. Defaults are those of the specification: http/protobuf and no
// compression.
func environmentDestination(getenv func(string) string) (export.Destination, bool, []error) {
	v := &otlpVariables{getenv: getenv}
	if endpoint, _ := v.get("ENDPOINT"); endpoint == "" {
		return export.Destination{}, false, nil
	}
	d := export.Destination{Name: environmentName, MaxPoints: export.DefaultMaxPoints}
	d.Protocol = choice(v, "PROTOCOL", export.HTTPProtobuf, export.GRPC)
	d.Compression = choice(v, "COMPRESSION", export.NoCompression, export.Gzip)
	d.Endpoint = v.endpoint(d.Protocol)
	timeout, name := v.get("TIMEOUT")
	d.Timeout = v.milliseconds(timeout, name, 10*time.Second)
	const interval = "OTEL_METRIC_EXPORT_INTERVAL"
	d.Interval = v.milliseconds(getenv(interval), interval, time.Minute)
	d.Headers = v.headers()
	var keys fileKeys
	_, keys.endpoint = v.get("ENDPOINT")
	d.CAFile, keys.ca = v.get("CERTIFICATE")
	d.CertFile, keys.cert = v.get("CLIENT_CERTIFICATE")
	d.KeyFile, keys.key = v.get("CLIENT_KEY")
	if preference := getenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"); preference != "" && !strings.EqualFold(preference, "cumulative") {
		v.fault("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", fmt.Errorf("must be cumulative, not %q", preference))
	}
	if d.Endpoint == nil {
		return d, true, v.faults
	}
	for _, err := range fileFaults(d, keys) {
		v.faults = append(v.faults, fmt.Errorf("environment variable %w", err))
	}
	return d, true, v.faults
}

// choice reads a variable that has one of two values; the first is the default.
func choice[T ~string](v *otlpVariables, suffix string, first, second T) T {
	value, name := v.get(suffix)
	if value == "" {
		return first
	}
	chosen, err := oneOf(value, first, second)
	v.fault(name, err)
	return chosen
}

// endpoint reads the URL to send to. The variable for metrics has the whole of it, and
// that for all signals a base that /v1/metrics is appended to. A gRPC endpoint may be
// host:port, as gRPC has it, which is with TLS unless _INSECURE is true.
func (v *otlpVariables) endpoint(protocol export.Protocol) *url.URL {
	raw, name := v.get("ENDPOINT")
	if protocol == export.GRPC && !strings.Contains(raw, "://") {
		scheme := "https://"
		if insecure, _ := v.get("INSECURE"); strings.EqualFold(insecure, "true") {
			scheme = "http://"
		}
		raw = scheme + raw
	}
	whole := name == "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
	if whole && protocol == export.HTTPProtobuf {
		u, err := plainURL(raw)
		v.fault(name, err)
		return u
	}
	u, err := endpointURL(raw, protocol)
	v.fault(name, err)
	if u != nil && protocol == export.HTTPProtobuf {
		u = u.JoinPath("v1/metrics")
	}
	return u
}

// milliseconds reads a variable of that unit.
func (v *otlpVariables) milliseconds(value, name string, def time.Duration) time.Duration {
	if value == "" {
		return def
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > int(24*time.Hour/time.Millisecond) {
		v.fault(name, fmt.Errorf("must be a number of milliseconds from 1 to a day, not %q", value))
		return def
	}
	return time.Duration(n) * time.Millisecond
}

// headers reads name=value pairs with commas between them, whose values are
// percent-encoded. A fault quotes no value.
func (v *otlpVariables) headers() []export.Header {
	pairs, name := v.get("HEADERS")
	if pairs == "" {
		return nil
	}
	var all []export.Header
	for pair := range strings.SplitSeq(pairs, ",") {
		key, encoded, found := strings.Cut(pair, "=")
		value, err := url.PathUnescape(encoded)
		if !found || err != nil {
			v.fault(name, errors.New("must be name=value pairs with commas between them, and values percent-encoded"))
			continue
		}
		h := export.Header{Name: strings.TrimSpace(key), Value: strings.TrimSpace(value)}
		v.fault(name, h.Check())
		all = append(all, h)
	}
	return all
}
