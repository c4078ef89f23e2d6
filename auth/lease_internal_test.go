package auth

import (
	"testing"
	"time"
)

// What is written is told by the wall's clock, which may have been set since the
// program started: a restart must not take a request for older than it is.
func TestReportsFollowTheWallClock(t *testing.T) {
	const width = int64(time.Minute) / cellsPerWindow
	began := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		drift time.Duration
		cells int64 // by how many the report is shifted
	}{
		"not set":            {0, 0},
		"an hour ahead":      {time.Hour, int64(time.Hour) / width},
		"an hour back":       {-time.Hour, -int64(time.Hour) / width},
		"a little ahead":     {1, 1}, // rather later than earlier
		"a little back":      {-1, 0},
		"a cell and a bit":   {time.Duration(width) + 1, 2},
		"back by a bit more": {-time.Duration(width) - 1, -1},
	} {
		m := &meter{}
		m.fit(Limits{{Limit: 100, Every: time.Minute}})
		now := began.UnixNano()
		m.take(now, false)
		states := m.states(instant{now, int64(c.drift)}, ahead)
		if got := states[0].Cells[0].Index - now/width; got != c.cells {
			t.Errorf("%s: shifted by %d cells, want %d", name, got, c.cells)
		}
		if want := began.Add(time.Minute + c.drift); !states[0].LeaseEnd.Equal(want) {
			t.Errorf("%s: lease until %s, want %s", name, states[0].LeaseEnd, want)
		}
		next := &meter{}
		next.restore(states, began.Add(c.drift))
		if used := next.rings[0].used; used != 1+5 {
			t.Errorf("%s: %d used after a restart, want one and a lease of 5", name, used)
		}
	}
}

func TestRestoreSurvivesNonsense(t *testing.T) {
	m := &meter{}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	w := Window{Limit: 10, Every: time.Minute}
	m.restore([]MeterState{
		{Window: Window{}, Cells: []Cell{{1, 1}}, Leased: 5},
		{Window: w, Cells: []Cell{{-5, 3}, {1 << 62, -1}, {1, 7}}, Leased: -3},
		{Window: Window{Limit: 10, Every: time.Hour}, Cells: []Cell{{1 << 62, 1 << 62}}, Leased: 1, LeaseEnd: time.Unix(-9, 0)},
	}, now)
	if len(m.rings) != 2 || m.rings[0].used != 0 || m.rings[1].used != maxLimit {
		t.Errorf("restored %d rings", len(m.rings))
	}
	if d, o := m.take(now.UnixNano(), false); o != rateLimited || d.RetryAfter <= 0 {
		t.Errorf("take = %+v, %d", d, o)
	}
}
