package main

import (
	"fmt"
	"strings"

	"github.com/sonde-dev/sonde/telemetry/export"
)

// destinationFlag is --otlp-destination, which may be given several times. As a
// variable it has several destinations with white space between them.
type destinationFlag struct {
	specs           []string
	fromEnvironment bool
}

func (f *destinationFlag) String() string { return strings.Join(f.specs, " ") }

func (f *destinationFlag) Set(s string) error {
	if f.fromEnvironment { // the flag wins
		*f = destinationFlag{}
	}
	f.specs = append(f.specs, strings.Fields(s)...)
	return nil
}

// environmentRead implements environmentReader.
func (f *destinationFlag) environmentRead() { f.fromEnvironment = true }

// destinations returns where to push to: what the flag says, and then what the standard
// variables say, if they name an endpoint. It returns everything that is wrong, as
// faults that name the flag or variable, the destination, and the key.
func destinations(specs []string, getenv func(string) string) ([]export.Destination, []error) {
	var all []export.Destination
	var faults []error
	names := map[string]bool{}
	for i, spec := range specs {
		d, wrong := parseDestination(spec)
		shown := d.Name
		if shown == "" {
			shown = fmt.Sprintf("number %d", i+1)
		}
		if d.Name != "" && names[d.Name] {
			wrong = append(wrong, fmt.Errorf("name: another destination has it too; give one of them a name=, which metrics tell them apart by"))
		}
		names[d.Name] = true
		for _, err := range wrong {
			faults = append(faults, fmt.Errorf("--otlp-destination %s: %w", shown, err))
		}
		all = append(all, d)
	}
	d, named, wrong := environmentDestination(getenv)
	faults = append(faults, wrong...)
	if named {
		all = append(all, d)
		if names[d.Name] {
			faults = append(faults, fmt.Errorf("--otlp-destination %s: name: is that of the destination of OTEL_EXPORTER_OTLP_ENDPOINT", d.Name))
		}
	}
	return all, faults
}
