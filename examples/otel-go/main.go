// Command pages is a synthetic check: it visits the pages that are its arguments and
// tells by OpenTelemetry whether all of them answered. It knows nothing of who runs
// it: where telemetry goes, with which credential and for which run is in the
// standard OTEL_* variables and in TRACEPARENT.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

const (
	// pageTimeout bounds one page.
	pageTimeout = 5 * time.Second

	// clusterCA signs the API server's certificate; every pod has it.
	clusterCA = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

// run visits the pages and reports. Its error is about the reporting alone: that a
// page did not answer is a result.
func run(ctx context.Context, pages []string) (err error) {
	ctx, t, err := newTelemetry(ctx)
	if err != nil {
		return err
	}
	// What was not sent before the end of the process is lost.
	defer func() { err = errors.Join(err, t.shutdown(ctx)) }()

	client, err := newClient()
	if err != nil {
		return err
	}
	began := time.Now()
	ctx, root := t.tracer.Start(ctx, "visit pages", trace.WithSpanKind(trace.SpanKindServer))
	defer root.End()
	for _, page := range pages {
		if failure := t.visit(ctx, client, page); failure != nil {
			fmt.Println(failure)
			err = errors.Join(err, failure)
		}
	}
	t.verdict(ctx, err, time.Since(began))
	if err != nil {
		root.SetStatus(codes.Error, err.Error())
		return nil
	}
	root.SetStatus(codes.Ok, "")
	fmt.Printf("%d pages answered\n", len(pages))
	return nil
}

func newClient() (*http.Client, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // an image without any
	}
	if ca, err := os.ReadFile(clusterCA); err == nil && !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("no certificate in %s", clusterCA)
	}
	return &http.Client{
		Timeout:   pageTimeout,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, Proxy: http.ProxyFromEnvironment},
	}, nil
}

// visit gets one page, in a span of its own, and counts it by what came of it.
func (t *telemetry) visit(ctx context.Context, client *http.Client, page string) error {
	ctx, span := t.tracer.Start(ctx, "GET", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("url.full", page)))
	defer span.End()
	began := time.Now()
	status, err := get(ctx, client, page)
	outcome := attribute.Int("http.response.status_code", status)
	if status == 0 {
		outcome = attribute.String("error.type", "unreachable")
	}
	span.SetAttributes(outcome)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	t.visited(ctx, outcome, time.Since(began))
	return err
}

// get returns the status of the answer, 0 if there is none, and an error unless the
// page is there.
func get(ctx context.Context, client *http.Client, page string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return 0, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err // it names method and URL
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return answer.StatusCode, fmt.Errorf("GET %s: %s", page, answer.Status)
	}
	return answer.StatusCode, nil
}
