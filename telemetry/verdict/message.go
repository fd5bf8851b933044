package verdict

import (
	"fmt"
	"time"
)

// failureMessage returns the first error, and how many more there are.
func failureMessage(errors []string) string {
	switch len(errors) {
	case 0:
		return "the check reported failure and gave no error"
	case 1:
		return errors[0]
	default:
		return fmt.Sprintf("%s (and %d more)", errors[0], len(errors)-1)
	}
}

func lateMessage(timeout, took time.Duration) string {
	return fmt.Sprintf("success was reported %s after the start, and the timeout is %s", took.Round(time.Second), timeout)
}

func deadlineMessage(timeout time.Duration) string {
	return fmt.Sprintf("the check was still running after its timeout of %s", timeout)
}

func exitMessage(p Pod) string {
	if p.Message == "" {
		return fmt.Sprintf("exit code %d", p.ExitCode)
	}
	return fmt.Sprintf("exit code %d: %s", p.ExitCode, p.Message)
}

func noReportMessage(p Pod, refused string) string {
	how := fmt.Sprintf("the check ended with exit code %d", p.ExitCode)
	switch {
	case refused != "":
		return how + ", and its report was refused: " + refused
	case p.Message != "":
		return how + " and did not report: " + p.Message
	default:
		return how + " and did not report"
	}
}
