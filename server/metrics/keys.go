package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"exante/auth"
)

var (
	refusals = counter("auth_refusals_total",
		"Requests refused before their handler, by reason: failures is an address that has spent its budget of refusals, busy a 503.", "reason")
	verified = counter("auth_verified_lookups_total",
		"Tokens of the right form: hit is one that is known to match a key, miss one that may cost an argon2id.", "result")
	argonBusy  = gauge("argon2_slots_busy", "argon2id computations that run.")
	argonSlots = gauge("argon2_slots", "argon2id computations that may run at once.")
	argonQueue = gauge("argon2_queue_length", "Callers that wait for an argon2id slot.")
	argonMost  = gauge("argon2_queue_capacity", "Callers that may wait; the next is answered with 503.")
	argonRuns  = counter("argon2_computations_total", "argon2id computations started.")
	keys       = gauge("keys", "API keys by state.", "state")
	keysEnding = gauge("keys_expiring", "Usable API keys that expire or retire within so many days.", "days")
)

func (c *collector) collectKeys(out chan<- prometheus.Metric) {
	s := c.Auth.Stats()
	for i, n := range s.Refusals {
		refusals.send(out, float64(n), auth.Reason(i).String())
	}
	verified.send(out, float64(s.Hits), "hit")
	verified.send(out, float64(s.Misses), "miss")
	argonBusy.send(out, float64(s.Gate.Busy))
	argonSlots.send(out, float64(s.Gate.Slots))
	argonQueue.send(out, float64(s.Gate.Waiting))
	argonMost.send(out, float64(s.Gate.Queue))
	argonRuns.send(out, float64(s.Gate.Runs))
	keys.send(out, float64(s.Keys.Active), string(auth.Active))
	keys.send(out, float64(s.Keys.Retiring), string(auth.Retiring))
	keys.send(out, float64(s.Keys.Expired), string(auth.Expired))
	keys.send(out, float64(s.Keys.Revoked), string(auth.Revoked))
	keysEnding.send(out, float64(s.Keys.EndingIn7Days), "7")
	keysEnding.send(out, float64(s.Keys.EndingIn30Days), "30")
}
