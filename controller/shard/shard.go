// Package shard says which receiver owns a check.
package shard

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"k8s.io/apimachinery/pkg/types"
)

// Of returns which of n receivers owns the check, from 0: the one with the
// largest hash together with the UID (rendezvous hashing), so that a change of n
// moves as few checks as possible. n is at least 1.
func Of(check types.UID, n int) int {
	best, bestWeight := 0, uint64(0)
	for i := range n {
		sum := sha256.Sum256([]byte(string(check) + "/" + strconv.Itoa(i)))
		if w := binary.BigEndian.Uint64(sum[:]); w > bestWeight {
			best, bestWeight = i, w
		}
	}
	return best
}
