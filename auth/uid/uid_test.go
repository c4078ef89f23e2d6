package uid_test

import (
	"bytes"
	"testing"
	"time"

	"exante/auth/uid"
)

func TestParseTakesOneSpellingOnly(t *testing.T) {
	const good = "01934a5e-7c00-7abc-8def-0123456789ab"
	id, err := uid.Parse(good)
	if err != nil || id.String() != good || string(id.Append(nil)) != good {
		t.Fatalf("Parse(%q) = %q, %v", good, id, err)
	}
	for _, in := range []string{
		"", "x", "01934a5e7c007abc8def0123456789ab", "{01934a5e-7c00-7abc-8def-0123456789ab}",
		"urn:uuid:01934a5e-7c00-7abc-8def-0123456789ab", "00000000-0000-0000-0000-000000000000",
		"01934a5e-7c00-7abc-8def-0123456789ag", good + "\x00", "01934a5e-7c00-7abc-8def_0123456789ab",
	} {
		if id, err := uid.Parse(in); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", in, id)
		}
	}
}

func TestNewGrowsWhileTheClockStandsOrStepsBack(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	s := uid.NewSource(func() time.Time { return now }, nil)
	var last uid.ID
	for i := range 10_000 {
		if i == 5_000 {
			now = now.Add(-time.Hour)
		}
		id, err := s.New()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Compare(id[:], last[:]) <= 0 {
			t.Fatalf("id %d = %v, not after %v", i, id, last)
		}
		if v := id[6] >> 4; v != 7 {
			t.Fatalf("version = %d, want 7", v)
		}
		last = id
	}
	if _, err := uid.NewSource(nil, bytes.NewReader(nil)).New(); err == nil {
		t.Error("New without randomness succeeded")
	}
}
