package otlp

import (
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sonde-dev/sonde/receiver/report"
	"github.com/sonde-dev/sonde/telemetry/result"
)

// The attributes that claim something, of OpenTelemetry's semantic conventions.
const (
	attrPipelineResult = "cicd.pipeline.result"  // of CI/CD, a release candidate
	attrSuiteStatus    = "test.suite.run.status" // of tests, in development
)

// said is the claim of a request: the best form in it, and of that failure before
// success.
type said struct {
	form    result.Form
	claim   result.Claim
	errors  []string // different ones, at most report.MaxErrors
	dropped int
}

// add hears one claim more.
func (s *said) add(form result.Form, claim result.Claim, errors []string) {
	better := s.form == result.FormNone || form < s.form
	worse := form == s.form && claim == result.ClaimFailure && s.claim == result.ClaimSuccess
	switch {
	case better || worse:
		*s = said{form: form, claim: claim}
	case form != s.form || claim != s.claim:
		return
	}
	for _, e := range errors {
		switch {
		case slices.Contains(s.errors, e):
		case len(s.errors) == report.MaxErrors:
			s.dropped++
		default:
			s.errors = append(s.errors, e)
		}
	}
}

// list returns the errors, with a note if there were more.
func (s *said) list() []string {
	if s.dropped == 0 {
		return s.errors
	}
	return append(s.errors, fmt.Sprintf("… and %d more errors, of which nothing was kept", s.dropped))
}

// claim hears a claim of form. The empty errors are left out.
func (d *decoder) claim(form result.Form, claim result.Claim, errors ...string) {
	var kept []string
	for _, e := range errors {
		if e = result.Truncate(d.clean(e), report.MaxErrorBytes); e != "" {
			kept = append(kept, e)
		}
	}
	d.said.add(form, claim, kept)
}

// attributes hears what the attributes of a resource or span claim. because is said
// next to a failure; it may be empty.
func (d *decoder) attributes(attrs pcommon.Map, because string) {
	for _, a := range []struct {
		key   string
		claim func(string) result.Claim
	}{{attrPipelineResult, pipelineClaim}, {attrSuiteStatus, suiteClaim}} {
		value := text(attrs, a.key)
		switch claim := a.claim(value); claim {
		case result.ClaimSuccess:
			d.claim(result.FormAttribute, claim)
		case result.ClaimFailure:
			d.claim(result.FormAttribute, claim, a.key+" is "+value, because)
		case result.ClaimNone:
		}
	}
}

// pipelineClaim returns what a cicd.pipeline.result says of a run: a skipped
// pipeline has not checked anything.
func pipelineClaim(value string) result.Claim {
	switch value {
	case "success":
		return result.ClaimSuccess
	case "failure", "error", "timeout", "cancellation":
		return result.ClaimFailure
	default:
		return result.ClaimNone
	}
}

// suiteClaim returns what a test.suite.run.status says of a run.
func suiteClaim(value string) result.Claim {
	switch value {
	case "success":
		return result.ClaimSuccess
	case "failure", "aborted", "timed_out":
		return result.ClaimFailure
	default: // skipped, in_progress
		return result.ClaimNone
	}
}

// text returns the first of keys that attrs has with a string; "" if it has none.
func text(attrs pcommon.Map, keys ...string) string {
	for _, key := range keys {
		if v, ok := attrs.Get(key); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
			return v.Str()
		}
	}
	return ""
}
