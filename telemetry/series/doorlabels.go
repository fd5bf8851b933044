package series

import (
	"fmt"

	"github.com/sonde-dev/sonde/telemetry/result"
)

// labelFaults returns what is wrong with the labels of a sample. Too many, or too
// large, is one fault, so that the answer stays smaller than the question.
func labelFaults(labels []result.Label) []Fault {
	if len(labels) > MaxLabels {
		return []Fault{{"labels", fmt.Sprintf("must be at most %d, not %d", MaxLabels, len(labels))}}
	}
	var faults []Fault
	total := 0
	byTranslated := make(map[string]string, len(labels))
	for _, l := range labels {
		total += len(l.Name) + len(l.Value)
		if f, bad := labelFault(l, byTranslated); bad {
			faults = append(faults, f)
		}
	}
	if total > MaxLabelsBytes {
		faults = append(faults, Fault{"labels", fmt.Sprintf("must have at most %d bytes together, not %d", MaxLabelsBytes, total)})
	}
	return faults
}

// labelFault adds the name of l to byTranslated, or says what is wrong with l.
func labelFault(l result.Label, byTranslated map[string]string) (Fault, bool) {
	translated, detail := labelNameFault(l.Name)
	if detail == "" {
		if first, twice := byTranslated[translated]; twice {
			detail = fmt.Sprintf("is %q to Prometheus, as is the label %q; leave one out", translated, first)
		} else {
			byTranslated[translated] = l.Name
			detail = textFault(l.Value, MaxLabelValueBytes)
		}
	}
	return Fault{"labels/" + result.Truncate(l.Name, MaxLabelNameBytes), detail}, detail != ""
}

// labelNameFault returns name as Prometheus will see it, or what is wrong with it.
func labelNameFault(name string) (translated, detail string) {
	if name == "" {
		return "", "must have a name"
	}
	if detail := textFault(name, MaxLabelNameBytes); detail != "" {
		return "", "its name " + detail
	}
	translated, err := labelName(name)
	if err != nil {
		return "", "its name must have a letter or a digit of ASCII"
	}
	if reservedLabel(name) || reservedLabel(translated) {
		return "", fmt.Sprintf("is %q to Prometheus, which is reserved; choose another name", translated)
	}
	return translated, ""
}
