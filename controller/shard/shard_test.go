package shard_test

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sonde-dev/sonde/controller/shard"
)

// checks are the UIDs of 2,000 Checks.
func checks() []types.UID {
	uids := make([]types.UID, 2000)
	for i := range uids {
		uids[i] = types.UID(fmt.Sprintf("11111111-2222-3333-4444-%012d", i))
	}
	return uids
}

func TestChecksAreSpreadEvenly(t *testing.T) {
	const n = 4
	var owned [n]int
	for _, uid := range checks() {
		owned[shard.Of(uid, n)]++
	}
	for i, got := range owned {
		if got < 400 || got > 600 {
			t.Errorf("shard %d owns %d of 2,000 checks, want about 500", i, got)
		}
	}
}

func TestOneMoreShardTakesAndMovesNothingElse(t *testing.T) {
	moved := 0
	for _, uid := range checks() {
		was, is := shard.Of(uid, 4), shard.Of(uid, 5)
		if was != is && is != 4 {
			t.Errorf("check %s went from shard %d to %d, and not to the new one", uid, was, is)
		}
		if was != is {
			moved++
		}
	}
	if moved < 300 || moved > 500 {
		t.Errorf("%d of 2,000 checks moved, want about 400", moved)
	}
}

// TestTheOwnerOfACheckStays holds owners that are promised: another one would lose
// what the first has counted.
func TestTheOwnerOfACheckStays(t *testing.T) {
	for uid, want := range map[types.UID]int{
		"11111111-2222-3333-4444-555555555555": 1,
		"0b8f81e3-7d0c-4a6f-9a53-0c1de3bd7f10": 3,
	} {
		if got := shard.Of(uid, 8); got != want {
			t.Errorf("Of(%s, 8) = %d, want %d", uid, got, want)
		}
		if got := shard.Of(uid, 1); got != 0 {
			t.Errorf("Of(%s, 1) = %d, want 0", uid, got)
		}
	}
}
