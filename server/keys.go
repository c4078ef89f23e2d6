package server

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"exante/auth"
	"exante/server/filter"
	"exante/storage"
	"exante/storage/input"
)

func createKey(x *exchange) error {
	draft, err := readKey(x)
	if err != nil {
		return err
	}
	p := post(x, &keyCreated)
	k, token, err := x.store.CreateKey(x.ctx(), x.by(), draft, p.once)
	if err != nil {
		return err
	}
	return x.reveal(&keyCreated, &k, token)
}

// keyCreated and keyRotated are what is kept of such an answer, for a replay: the
// secret is in the answer that reveal sends, once, and in no other.
var (
	keyCreated = receipt[auth.Key]{201, "API key created", versionOfKey, writeKeptKey}
	keyRotated = receipt[auth.Key]{201, "API key rotated", versionOfKey, writeKeptKey}
)

func versionOfKey(k auth.Key) uint64 { return k.Version }

func writeKeptKey(x *exchange, w *jsonWriter, k auth.Key, now time.Time) {
	writeNewKey(w, &k, keyFacts{limits: x.auth.LimitsOf(&k), now: now}, "")
}

// reveal answers with a new key and, this once, its secret.
func (x *exchange) reveal(r *receipt[auth.Key], k *auth.Key, token auth.Token) error {
	return x.tag(k.Version).answer(r.status, r.message, func(w *jsonWriter) { writeNewKey(w, k, x.factsOf(k), token.Reveal()) })
}

func getKey(x *exchange) error {
	k, err := x.store.Key(x.org(), x.pathID())
	if err != nil {
		return err
	}
	return x.answerKey(200, "API key retrieved", k)
}

// currentKey shows the key that asks, so that a client can test it.
func currentKey(x *exchange) error {
	return x.answerKey(200, "API key retrieved", x.admitted.Key)
}

func revokeKey(x *exchange) error {
	k, err := x.store.RevokeKey(x.ctx(), x.by(), x.pathID(), x.ifMatch())
	if err != nil {
		return err
	}
	return x.answerKey(200, "API key revoked", k)
}

func rotateKey(x *exchange) error {
	grace, err := readGrace(x.body())
	if err != nil {
		return err
	}
	p := post(x, &keyRotated)
	k, token, err := x.store.RotateKey(x.ctx(), x.by(), x.pathID(), grace, x.ifMatch(), p.once)
	if err != nil {
		return err
	}
	return x.reveal(&keyRotated, &k, token)
}

func keyActivity(x *exchange) error {
	from, to, err := readSpan(x.query(), x.options.Now())
	if err != nil {
		return err
	}
	a, err := x.store.Activity(x.ctx(), x.org(), x.pathID(), from, to)
	if err != nil {
		return err
	}
	return x.answer(200, "API key activity retrieved", func(w *jsonWriter) { writeActivity(w, &a) })
}

func listKeys(x *exchange) error {
	q := x.query()
	states := filter.List(q, "state", parseState, input.OneOf(stateWords))
	search := strings.ToLower(q.Text("search", 200))
	field, desc := q.Sort([]string{"name", "created_at", "last_used_at", "expires_at"}, "-created_at")
	if err := q.Done(); err != nil {
		return err
	}
	keys := slices.DeleteFunc(slices.Clone(x.store.Keys(x.org())), func(k *auth.Key) bool {
		return states != nil && !slices.Contains(states, k.State(x.options.Now())) ||
			!strings.Contains(strings.ToLower(k.Name), search)
	})
	x.sortKeys(keys, field, desc)
	return x.answer(200, "API keys retrieved", func(w *jsonWriter) { x.writeKeys(w, keys) })
}

func (x *exchange) writeKeys(w *jsonWriter, keys []*auth.Key) {
	w.open('{')
	w.name("items")
	w.open('[')
	for _, k := range keys {
		writeKey(w, k, x.factsOf(k))
	}
	w.close(']')
	w.close('}')
}

// sortKeys orders by a field, "never" as the earliest time; ties by uid, which is creation.
func (x *exchange) sortKeys(keys []*auth.Key, field string, desc bool) {
	at := map[string]func(k *auth.Key) time.Time{
		"created_at":   func(k *auth.Key) time.Time { return k.CreatedAt },
		"expires_at":   func(k *auth.Key) time.Time { return k.ExpiresAt },
		"last_used_at": func(k *auth.Key) time.Time { return x.store.Keyring().LastUse(k.ID).At },
	}[field]
	slices.SortFunc(keys, func(a, b *auth.Key) int {
		var order int
		if at == nil {
			order = cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		} else {
			order = at(a).Compare(at(b))
		}
		order = cmp.Or(order, slices.Compare(a.ID[:], b.ID[:]))
		if desc {
			return -order
		}
		return order
	})
}

func (x *exchange) factsOf(k *auth.Key) keyFacts {
	return keyFacts{x.auth.LimitsOf(k), x.store.Keyring().LastUse(k.ID), x.options.Now()}
}

func (x *exchange) answerKey(status int, message string, k *auth.Key) error {
	return x.tag(k.Version).answer(status, message, func(w *jsonWriter) { writeKey(w, k, x.factsOf(k)) })
}

const (
	maxScopes   = 32
	maxNetworks = 100
	maxGrace    = 30  // days
	maxSpan     = 366 // days of activity in one answer
	day         = 24 * time.Hour
)

// readKey reads the body of a creation.
func readKey(x *exchange) (storage.KeyDraft, error) {
	f, err := readObject(x.body())
	if err != nil {
		return storage.KeyDraft{}, err
	}
	f.require("name")
	draft := storage.KeyDraft{Name: orEmpty(f.text("name", length{1, 200}))}
	if draft.Scopes, err = auth.ParseScopes(f.texts("scopes", maxScopes)); err != nil {
		f.bad("scopes", "%s", input.OneOf(scopeWords()))
	}
	if draft.Networks, err = auth.ParseNetworks(f.texts("allowed_cidrs", maxNetworks)); err != nil {
		f.bad("allowed_cidrs", "must be networks such as 192.0.2.0/24 or 2001:db8::/32, host bits zero")
	}
	days := int64(x.options.DefaultExpiryDays)
	if !f.tookNull("expires_in_days") {
		if sent := f.integer("expires_in_days", 1, int64(x.options.MaxExpiryDays)); sent != nil {
			days = *sent
		}
	}
	if days > 0 {
		draft.ExpiresAt = x.options.Now().Add(time.Duration(days) * day)
	}
	return draft, f.done()
}

func scopeWords() []string {
	words := []string{"*"}
	for _, s := range auth.AllScopes() {
		words = append(words, s.String())
	}
	return words
}

// readGrace reads the body of a rotation, which may be absent.
func readGrace(body []byte) (time.Duration, error) {
	if len(body) == 0 {
		return 0, nil
	}
	f, err := readObject(body)
	if err != nil {
		return 0, err
	}
	days := f.integer("grace_days", 0, maxGrace)
	if err := f.done(); err != nil || days == nil {
		return 0, err
	}
	return time.Duration(*days) * day, nil
}

// readSpan reads from and to; by default the last seven days.
func readSpan(q *filter.Query, now time.Time) (from, to time.Time, err error) {
	from, to = q.Instant("from", false), q.Instant("to", true)
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-7 * day)
	}
	switch {
	case from.After(to):
		q.Refuse("from", "must not be after to")
	case to.Sub(from) > maxSpan*day:
		q.Refuse("from", "must be at most %d days before to", maxSpan)
	}
	return from, to, q.Done()
}

var stateWords = []string{string(auth.Active), string(auth.Retiring), string(auth.Expired), string(auth.Revoked)}

func parseState(s string) (auth.State, bool) {
	s = strings.ToLower(s)
	return auth.State(s), slices.Contains(stateWords, s)
}
