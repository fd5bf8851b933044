package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/sonde-dev/sonde/test/samples"
)

// patience bounds the wait for something that is due: a first run takes seconds, on
// a loaded machine a minute.
const patience = 3 * time.Minute

// verdicts prints the table of checks whenever it changes, until each has a verdict.
func (d demo) verdicts(ctx context.Context) error {
	shown := ""
	return d.until(ctx, "each check has a verdict", func() (bool, error) {
		table, err := d.read(ctx, "kubectl", "-n", namespace, "get", "checks", "--no-headers",
			"-o=custom-columns=NAME:.metadata.name,RESULT:.status.result,REASON:.status.reason,SCHEDULE:.status.schedule,MESSAGE:.status.message")
		if err != nil {
			return false, err
		}
		if table != shown {
			shown = table
			d.say("--- %s\n%s", time.Now().Format(time.TimeOnly), table)
		}
		done := 0
		for line := range strings.Lines(table) {
			if fields := strings.Fields(line); len(fields) > 1 && fields[1] != "<none>" {
				done++
			}
		}
		if done == len(examples()) {
			return true, d.show(ctx, "kubectl", "get", "checks", "-A")
		}
		return false, nil
	})
}

// metrics prints the lines of the exposition that tell of the checks.
func (d demo) metrics(ctx context.Context) error {
	exposition, err := d.read(ctx, "kubectl", "get", "--raw", receiverProxy+"/metrics")
	if err != nil {
		return err
	}
	wanted := regexp.MustCompile(`^(sonde_check_(ok|status|duration_seconds)|sonde_check_runs_total.* [1-9]|dns_|pages_|names_)`)
	for line := range strings.Lines(exposition) {
		if wanted.MatchString(line) {
			d.say("%s", line)
		}
	}
	return nil
}

// queries asks Prometheus until it has scraped what there is.
func (d demo) queries(ctx context.Context) error {
	for _, q := range []struct {
		query  string
		series int
	}{
		{"sonde_check_ok", len(examples())},
		{"sum by (result) (sonde_check_runs_total) > 0", 3},
		{"dns_lookups_total", 1},
		{"pages_visited_total", 1},
	} {
		d.say("query: %s\n", q.query)
		err := d.until(ctx, "Prometheus has an answer", func() (bool, error) {
			lines, err := d.query(ctx, q.query)
			if err != nil || len(lines) < q.series {
				return false, err
			}
			d.say("  %s\n", strings.Join(lines, "\n  "))
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// query returns the answer of Prometheus, a line each series.
func (d demo) query(ctx context.Context, query string) ([]string, error) {
	body, err := d.read(ctx, "kubectl", "get", "--raw", prometheusProxy+"/api/v1/query?query="+url.QueryEscape(query))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return nil, fmt.Errorf("decode Prometheus' answer: %w", err)
	}
	var lines []string
	for _, r := range answer.Data.Result {
		of := r.Metric["sonde_check_name"] + r.Metric["result"]
		lines = append(lines, fmt.Sprintf("%-12s %v", of, r.Value[1]))
	}
	return lines, nil
}

// received shows counters of checks that know neither Prometheus nor Sonde, as both
// ways out of the receiver have them.
func (d demo) received(ctx context.Context) error {
	for _, counter := range []string{"pages_visited_total", "names_looked_up_total"} {
		err := d.until(ctx, "the Collector has what Prometheus answers of "+counter, func() (bool, error) {
			scraped, err := d.query(ctx, fmt.Sprintf("sum by (sonde_check_name) (%s{k8s_namespace_name=%q})", counter, namespace))
			if err != nil || len(scraped) != 1 {
				return false, err
			}
			pushed, err := d.pushed(ctx, counter)
			if err != nil || !strings.HasSuffix(scraped[0], fmt.Sprintf(" %v", pushed)) {
				return false, err // a run may have ended in between
			}
			d.say("%-22s Prometheus answers %s, the Collector received %v\n", counter, scraped[0], pushed)
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return d.show(ctx, "kubectl", "get", "--raw", collectorProxy+"/")
}

// pushed returns the sum of a counter's samples, as the Collector received them lately.
func (d demo) pushed(ctx context.Context, counter string) (float64, error) {
	body, err := d.read(ctx, "kubectl", "get", "--raw", collectorProxy+"/v1/metrics?within=10s")
	if err != nil {
		return 0, err
	}
	all, err := samples.FromOTLP([]byte(body))
	return sum(all.Of(counter).With("k8s_namespace_name", namespace)), err
}

// until asks every half second whether it is so.
func (d demo) until(ctx context.Context, what string, so func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		done, err := so()
		if done || ctx.Err() == nil && err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain until %s", what)
		case <-time.After(500 * time.Millisecond):
		}
	}
}
