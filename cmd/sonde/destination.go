package main

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// maxPointsPerRequest is 13.5 MB at 135 bytes a point: more than any server of OTLP
// takes unless it is told to.
const maxPointsPerRequest = 100_000

// aboutDestination is the help of --otlp-destination. Its lines after the first are
// below the first one's text (printHelp).
const aboutDestination = "push metrics over OTLP to where comma-separated `key=value` pairs say; may be given several times (default none)" + `
                                     Such as
                                       --otlp-destination=name=grafana,endpoint=https://otlp.example/otlp,headers-file=/etc/otlp/headers
                                     As a variable: several with white space between them. The keys:
                                       endpoint      required; https://host or, for plaintext, http://host, with a port if need be.
                                                     For http/protobuf it is the base URL, to which /v1/metrics is appended
                                       protocol      http/protobuf (default), mostly at port 4318 or 443, or grpc, mostly at port 4317
                                       headers-file  file of "Name: value" lines, such as "Authorization: Basic ..."; read at each push
                                       name          what logs and metrics call it (default the host)
                                       interval      from one push to the next, at least 1s (default 60s)
                                       timeout       of a request and its repetitions (default 10s)
                                       compression   gzip (default) or none
                                       batch         most points of a request (default 10000)
                                       ca-file       PEM, who signs the server's certificate (default the system's)
                                       cert-file     PEM, the client's certificate, with its key in
                                       key-file      PEM; the files of TLS are read at each handshake`

// parseDestination reads one value of --otlp-destination. The form is that of docker's
// --mount: no value that is wanted here has a comma, so there is no quoting. Every
// fault begins with its key, and has nothing in it that may be a secret that somebody
// put into the wrong place.
func parseDestination(spec string) (export.Destination, []error) {
	d := export.Destination{
		Protocol: export.HTTPProtobuf, // as the specification recommends
		// Compressed, metrics are a twentieth of their size and less.
		Compression: export.Gzip,
		// As often as the SDK pushes and as Prometheus scrapes unless told otherwise;
		// Grafana Cloud bills for more than one point of a series in a minute.
		Interval:  time.Minute,
		Timeout:   10 * time.Second, // as the specification has it
		MaxPoints: export.DefaultMaxPoints,
	}
	var endpoint string
	var faults []error
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(spec, ",") {
		key, value, _ := strings.Cut(pair, "=")
		err := setKey(&d, &endpoint, key, value)
		if err == nil && seen[key] {
			err = errors.New("is given twice")
		}
		seen[key] = true
		faults = appendFault(faults, shownKey(key), err)
	}
	var err error
	d.Endpoint, err = endpointURL(endpoint, d.Protocol)
	faults = appendFault(faults, "endpoint", err)
	if d.Endpoint == nil {
		return d, faults
	}
	if d.Name == "" {
		d.Name = d.Endpoint.Hostname()
	}
	if d.Protocol == export.HTTPProtobuf {
		d.Endpoint = d.Endpoint.JoinPath("v1/metrics")
	}
	return d, append(faults, fileFaults(d, fileKeys{"endpoint", "headers-file", "ca-file", "cert-file", "key-file"})...)
}

// setKey puts the value of a key where it belongs.
func setKey(d *export.Destination, endpoint *string, key, value string) error {
	var err error
	switch key {
	case "name":
		d.Name, err = destinationName(value)
	case "endpoint":
		*endpoint = value
	case "protocol":
		d.Protocol, err = oneOf(value, export.HTTPProtobuf, export.GRPC)
	case "compression":
		d.Compression, err = oneOf(value, export.Gzip, export.NoCompression)
	case "interval":
		d.Interval, err = atLeast(value, time.Second)
	case "timeout":
		d.Timeout, err = atLeast(value, time.Millisecond)
	case "batch":
		d.MaxPoints, err = strconv.Atoi(value)
		if err != nil || d.MaxPoints < 1 || d.MaxPoints > maxPointsPerRequest {
			err = fmt.Errorf("must be from 1 to %d points, not %q", maxPointsPerRequest, value)
		}
	case "headers-file":
		d.HeadersFile, err = notEmpty(value)
	case "ca-file":
		d.CAFile, err = notEmpty(value)
	case "cert-file":
		d.CertFile, err = notEmpty(value)
	case "key-file":
		d.KeyFile, err = notEmpty(value)
	case "headers":
		err = errors.New("is no key: write headers to a file, and name it as headers-file")
	default:
		err = errors.New("is no key; sonde receiver --help lists them")
	}
	return err
}

// shownKey returns key, or, where it does not look like one, words for it: it may be
// the rest of a secret with a comma or a blank in it.
func shownKey(key string) string {
	if regexp.MustCompile(`^[a-z-]{1,20}$`).MatchString(key) {
		return key
	}
	return "something before a ="
}

// endpointURL reads the base URL of a destination.
func endpointURL(raw string, protocol export.Protocol) (*url.URL, error) {
	u, err := plainURL(raw)
	switch {
	case err != nil:
		return nil, err
	case protocol == export.GRPC && strings.Trim(u.Path, "/") != "":
		return nil, errors.New("must not have a path with the protocol grpc")
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/v1/metrics"):
		return nil, errors.New("must be the base URL: /v1/metrics is appended to it")
	}
	return u, nil
}

// plainURL reads a URL that may be shown. A fault does not quote it: it may have a
// password.
func plainURL(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errors.New("is required")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, errors.New("must be a URL that begins with https:// or, for plaintext, http://")
	case u.User != nil:
		return nil, errors.New("must not have a user or password: send them as the header Authorization")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("must not have a query or fragment: send secrets as headers")
	}
	return u, nil
}

func destinationName(value string) (string, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9._:-]{1,63}$`).MatchString(value) {
		return "", errors.New("must be 1 to 63 letters, digits, dots, colons, dashes or underscores")
	}
	return value, nil
}

func oneOf[T ~string](value string, allowed ...T) (T, error) {
	if !slices.Contains(allowed, T(value)) {
		return allowed[0], fmt.Errorf("must be %s or %s, not %q", allowed[0], allowed[1], value)
	}
	return T(value), nil
}

func atLeast(value string, least time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < least {
		return least, fmt.Errorf("must be a duration of at least %s, such as 30s, not %q", least, value)
	}
	return d, nil
}

func notEmpty(value string) (string, error) {
	if value == "" {
		return "", errors.New("must name a file")
	}
	return value, nil
}

func appendFault(faults []error, key string, err error) []error {
	if err == nil {
		return faults
	}
	return append(faults, fmt.Errorf("%s: %w", key, err))
}
