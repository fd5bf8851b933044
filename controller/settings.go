package controller

import (
	"fmt"

	"github.com/sonde-dev/sonde/receiver/credential"
)

// Settings are what a CronJob depends on besides its Check. They are the same for
// the whole installation.
type Settings struct {
	// Key signs the tokens of checks.
	Key credential.Key

	// ReceiverService is the name of the receivers' Services without the number of
	// the shard, such as "sonde-receiver".
	ReceiverService string

	// Namespace is where those Services are.
	Namespace string

	// Shards is the number of receivers, at least 1, fixed at installation.
	Shards int
}

// receiverHost returns the host name of a shard's Service. Pods complete it with
// the cluster's domain.
func (s Settings) receiverHost(shard int) string {
	return fmt.Sprintf("%s-%d.%s.svc", s.ReceiverService, shard, s.Namespace)
}
