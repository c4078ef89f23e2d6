package server

import (
	"time"

	"exante/auth"
	"exante/storage"
)

// keyFacts are what is shown of a key beside its record.
type keyFacts struct {
	limits auth.Limits  // those that apply
	last   auth.LastUse // from memory, never stale
	now    time.Time
}

// writeKey is an API key. The secret has no place in it.
func writeKey(w *jsonWriter, k *auth.Key, facts keyFacts) {
	w.open('{')
	writeKeyMembers(w, k, facts)
	w.close('}')
}

// writeNewKey is an API key in the answer that made it, the only one with the
// secret; "" where that answer is given again.
func writeNewKey(w *jsonWriter, k *auth.Key, facts keyFacts, secret string) {
	w.open('{')
	writeKeyMembers(w, k, facts)
	w.text("key", secret)
	w.close('}')
}

func writeKeyMembers(w *jsonWriter, k *auth.Key, facts keyFacts) {
	w.id("uid", k.ID)
	w.text("name", k.Name)
	w.text("key_snippet", k.Snippet)
	w.id("user_uid", k.UserID)
	w.id("organization_uid", k.OrgID)
	w.texts("scopes", k.Scopes.Names())
	w.time("last_used_at", facts.last.At)
	w.time("expires_at", k.ExpiresAt)
	w.time("revoked_at", k.RevokedBy(facts.now))
	w.time("created_at", k.CreatedAt)
	w.time("updated_at", k.UpdatedAt)
	w.text("state", string(k.State(facts.now)))
	w.id("rotated_to_uid", k.RotatedTo)
	w.id("rotated_from_uid", k.RotatedFrom)
	writeRates(w, facts.limits)
	writeNetworks(w, k)
	w.time("retires_at", k.RetiresAt)
}

// writeRates are the windows that apply, each as it is written in settings: "600/1m".
func writeRates(w *jsonWriter, limits auth.Limits) {
	w.name("rate_limits")
	w.open('[')
	for _, window := range limits {
		w.quote(window.String())
	}
	w.close(']')
}

// writeNetworks: null is "from anywhere"; an empty list would read as "from nowhere".
func writeNetworks(w *jsonWriter, k *auth.Key) {
	if len(k.Networks) == 0 {
		w.null("allowed_cidrs")
		return
	}
	w.name("allowed_cidrs")
	w.open('[')
	for _, network := range k.Networks {
		w.quote(network.String())
	}
	w.close(']')
}

// writeActivity is what a key did, hour by hour.
func writeActivity(w *jsonWriter, a *storage.Activity) {
	w.open('{')
	w.time("last_used_at", a.Last.At)
	if a.Last.Addr.IsValid() {
		w.text("last_used_ip", a.Last.Addr.String())
	} else {
		w.null("last_used_ip")
	}
	w.text("last_used_user_agent", a.Last.UserAgent)
	w.name("buckets")
	w.open('[')
	for _, b := range a.Buckets {
		w.open('{')
		w.time("hour", b.Hour)
		w.int("requests", int64(b.Requests))
		w.int("unauthorized", int64(b.Unauthorized))
		w.int("forbidden", int64(b.Forbidden))
		w.int("rate_limited", int64(b.RateLimited))
		w.int("server_errors", int64(b.ServerErrors))
		w.close('}')
	}
	w.close(']')
	w.close('}')
}
