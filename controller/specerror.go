package controller

import "fmt"

// SpecError is a fault of a Check's spec that only its author can mend.
type SpecError struct{ Detail string }

// Error returns the detail, a sentence that begins with the field at fault.
func (e *SpecError) Error() string { return e.Detail }

func specErrorf(format string, args ...any) error {
	return &SpecError{Detail: fmt.Sprintf(format, args...)}
}
