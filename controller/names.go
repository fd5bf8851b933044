package controller

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// FieldManager names this controller in managedFields.
const FieldManager = "sonde-controller"

// maxCronJobName is what Kubernetes allows: 63 less the 11 characters that it
// appends for a Job's name. Source: validation of batch/v1 CronJob.
const maxCronJobName = 52

// CronJobName returns the name of the CronJob of the Check called name: the same
// or, where that is too long, its beginning and a hash, so that two long names
// never share a CronJob.
func CronJobName(name string) string {
	if len(name) <= maxCronJobName {
		return name
	}
	const hashLength = 8
	start := strings.TrimRight(name[:maxCronJobName-hashLength-1], ".") // no part of a name begins with "-"
	return start + "-" + shortHash(name, hashLength)
}

// shortHash returns the first n hex digits of the SHA-256 of s.
func shortHash(s string, n int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:n]
}
