package server

import (
	"sync"
	"time"

	"exante/auth/uid"
)

const (
	transferGrace = 30 * time.Second
	transferRate  = 16 << 10 // bytes a second that a transfer must reach in all, after the grace
	maxUploads    = 64       // that are being read, each with half a mebibyte of memory
	maxUploadsOrg = 16       // of one organization
)

// pace bounds the time of a transfer: no pause may last longer than the grace,
// and beyond it the whole must come at transferRate.
type pace struct {
	began time.Time
	grace time.Duration
}

func (s *Server) newPace() pace { return pace{time.Now(), s.options.TransferGrace} }

// deadline is when the next byte is due after moved bytes.
func (p pace) deadline(moved int64) time.Time {
	next := time.Now().Add(p.grace)
	slowest := p.began.Add(p.grace + time.Duration(moved)*time.Second/transferRate)
	if slowest.Before(next) {
		return slowest
	}
	return next
}

// gate counts transfers of one kind that are under way, and lets no organization
// take the places of all others.
type gate struct {
	most, mostOrg int   // at once: of all organizations, and of one
	full          error // what one too many is told

	mu    sync.Mutex
	all   int
	byOrg map[uid.ID]int
}

func newGate(most, mostOrg int, full error) *gate {
	return &gate{most: most, mostOrg: mostOrg, full: full, byOrg: map[uid.ID]int{}}
}

// enter counts one, until leave is called, or says that it is one too many.
func (g *gate) enter(org uid.ID) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.all >= g.most || g.byOrg[org] >= g.mostOrg {
		return nil, g.full
	}
	g.all++
	g.byOrg[org]++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.all--
		if g.byOrg[org]--; g.byOrg[org] == 0 {
			delete(g.byOrg, org)
		}
	}, nil
}
