package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Backups is how the scheduled backups go.
type Backups struct {
	ProvenAt time.Time // when the newest that was restored was taken; zero: there is none
	Bytes    int64     // of the newest
	Failures uint64
}

var (
	backupSuccess  = gauge("backup_last_success_timestamp_seconds", "When the newest backup was taken that was proven by a restore; 0: there is none.")
	backupSize     = gauge("backup_last_size_bytes", "Size of the newest backup.")
	backupFailures = counter("backup_failures_total", "Tries to make and prove a backup that failed.")
	degraded       = gauge("degraded", "1 while the server lacks something: low_disk is that writes are refused, anchor and audit_copy that they can't be written.", "what")
	minFree        = gauge("disk_min_free_bytes", "Free space below which writes are refused, as configured; 0: it is not watched.")
)

func (c *collector) collectCare(out chan<- prometheus.Metric) {
	found := c.Store.Troubles()
	for _, what := range []string{"low_disk", "anchor", "audit_copy"} {
		is := 0.0
		if slices.Contains(found, what) {
			is = 1
		}
		degraded.send(out, is, what)
	}
	minFree.send(out, float64(c.Store.Disk().MinFree))
	if c.Backups == nil {
		return
	}
	b, proven := c.Backups(), 0.0
	if !b.ProvenAt.IsZero() {
		proven = float64(b.ProvenAt.Unix())
	}
	backupSuccess.send(out, proven)
	backupSize.send(out, float64(b.Bytes))
	backupFailures.send(out, float64(b.Failures))
}
