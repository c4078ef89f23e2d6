package index

import (
	"bytes"
	"iter"
	"time"

	"exante/auth/uid"
)

// load puts rows that come by uid behind each other and sorts them when all
// have come; rows that come otherwise are put one by one after that.
func (t *table) load(now time.Time, rows iter.Seq[Row]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.catchUp()
	t.setDay(midnightBefore(now)) // counts as a change
	var rest []Row
	var last uid.ID
	empty := t.places() == 0
	for r := range rows {
		if !empty || t.rows > 0 && bytes.Compare(r.ID[:], last[:]) <= 0 {
			rest = append(rest, r)
			continue
		}
		last = r.ID
		t.fill(t.place(), &r)
	}
	if empty {
		t.sortAll()
	}
	for i := range rest {
		t.putRow(&rest[i])
	}
}
