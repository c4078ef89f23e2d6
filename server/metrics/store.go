package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	healthy       = gauge("store_healthy", "1, or 0 once the store has met an error that it must not go on from.")
	organizations = gauge("organizations", "Organizations.")
	users         = gauge("users", "Users of all organizations.")
	invoices      = gauge("invoices", "Invoices of all organizations.")
	auditSequence = gauge("audit_sequence", "Number of the last record in the audit log.")
	sequence      = gauge("store_sequence", "Number of the last commit.")
	snapshots     = gauge("store_snapshots", "States of the store that can still be read.")
	diskBytes     = gauge("store_disk_bytes",
		"Blocks taken on the disk: tables are the sorted records, log is what a restart reads again.", "kind")
	commitDuration = histogram("store_commit_duration_seconds", "Time from a batch of writes to its being durable.")
	transactions   = counter("store_transactions_total",
		"Transactions that were committed. Divided by the commits, it is the size of a batch.")
	bodyLookups = counter("body_cache_lookups_total", "Reads of one invoice, by whether the answer was kept ready (hit).", "result")
	bodyBytes   = gauge("body_cache_bytes", "Memory of the answers that are kept ready.")
	bodies      = gauge("body_cache_bodies", "Answers that are kept ready.")
)

func (c *collector) collectStore(out chan<- prometheus.Metric) {
	up := 1.0
	if c.Store.Health() != nil {
		up = 0
	}
	healthy.send(out, up)
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	f, err := c.Store.Figures(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(sequence.desc, err)
		return
	}
	organizations.send(out, float64(f.Orgs))
	users.send(out, float64(f.Users))
	invoices.send(out, float64(f.Invoices))
	auditSequence.send(out, float64(f.Audit))
	sequence.send(out, float64(f.Seq))
	snapshots.send(out, float64(f.Engine.Snapshots))
	diskBytes.send(out, float64(f.Engine.TableBytes), "tables")
	diskBytes.send(out, float64(f.Engine.LogBytes), "log")
	diskBytes.send(out, float64(f.Engine.OtherBytes), "other")
	commitDuration.sendDurations(out, f.Engine.Commits)
	transactions.send(out, float64(f.Engine.Transactions))
	bodyLookups.send(out, float64(f.Bodies.Hits), "hit")
	bodyLookups.send(out, float64(f.Bodies.Misses), "miss")
	bodyBytes.send(out, float64(f.Bodies.Bytes))
	bodies.send(out, float64(f.Bodies.Bodies))
}
