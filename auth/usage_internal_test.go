package auth

import (
	"testing"
	"time"
)

// An hour that was counted on while it was being written stays in memory.
func TestFlushedKeepsWhatHasChangedSince(t *testing.T) {
	var u usage
	hour := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	u.count(hour, accepted)
	written := append([]Bucket(nil), u.hours...)
	u.count(hour.Add(59*time.Minute), accepted) // a request that began before the hour was over
	u.flushed(hour.Add(time.Hour), written)
	if len(u.hours) != 1 || u.hours[0].Requests != 2 {
		t.Errorf("kept %+v, want the hour with 2 requests", u.hours)
	}
	u.flushed(hour.Add(time.Hour), u.hours)
	if len(u.hours) != 0 {
		t.Errorf("kept %+v, though it is written", u.hours)
	}
}
