package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/sonde-dev/sonde/telemetry/export"
	"github.com/sonde-dev/sonde/telemetry/series"
)

// TestTheLastPushIsWithinItsBound has one destination that answers and two that never
// do.
func TestTheLastPushIsWithinItsBound(t *testing.T) {
	came := make(chan string, 10)
	good := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- r.URL.Path
	}))
	defer good.Close()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer hanging.Close()
	defer close(release)

	var to []export.Destination
	for _, d := range []struct{ name, server string }{{"first", hanging.URL}, {"good", good.URL}, {"last", hanging.URL}} {
		parsed, faults := parseDestination("name=" + d.name + ",endpoint=" + d.server)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		to = append(to, parsed)
	}
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	store := series.New(series.Config{}, time.Now)
	pushes, err := push(t.Context(), to, export.Pushing{Producer: store, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	_, meters, err := export.Prometheus(export.Config{Producer: store, Resource: resource.Empty(), Pushes: pushes, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := pushLast(t.Context(), pushes, meters, 500*time.Millisecond); err != nil {
		t.Errorf("pushLast() = %v: a destination that is down is no reason to end with an error", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("pushLast() took %s", took)
	}
	if len(came) != 1 || <-came != "/v1/metrics" {
		t.Error("the good destination did not get the last push")
	}
	if n := strings.Count(logged.String(), "push failed"); n != 2 {
		t.Errorf("%d failures are logged:\n%s", n, logged.String())
	}
	if u, _ := url.Parse(good.URL); !strings.Contains(logged.String(), "endpoint="+u.String()+"/v1/metrics") {
		t.Errorf("it is not logged where to:\n%s", logged.String())
	}
}

func TestTheEndOfAReaderIsNoError(t *testing.T) {
	var logged bytes.Buffer
	errs := telemetryErrors(slog.New(slog.NewTextHandler(&logged, nil)))
	errs.Handle(fmt.Errorf("collect: %w", context.Canceled))
	if logged.Len() > 0 {
		t.Errorf("it is logged: %s", &logged)
	}
	errs.Handle(errors.New("broken"))
	if !strings.Contains(logged.String(), `msg="telemetry failed" err=broken`) {
		t.Errorf("the log is %q", &logged)
	}
}
