package dashboard

import (
	"html/template"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/server/dashboard/chart"
	"exante/storage"
)

// keyRow is one line of the list. All of it is made ready here: a template takes ten
// times as long to ask a method.
type keyRow struct {
	Path, Name, Snippet string
	Owner, OwnerPath    string
	Standing            standing
	Title, Tone         string // of that
	Live                bool   // it has not ended
	Scopes, Short       string
	Advice              []rowAdvice
	Addr                string // of the last use
	Last, Created, Ends template.HTML
	Left                string // until it ends; "": it has, or never does
	Spark               template.HTML
}

// rowAdvice is what to do about one key.
type rowAdvice struct{ Short, Action, Path string }

// keyRows are the lines of one page.
func (v *visit) keyRows(q *keyQuery, keys []*auth.Key) ([]keyRow, error) {
	ids, owners := make([]uid.ID, len(keys)), make([]uid.ID, len(keys))
	for i, k := range keys {
		ids[i], owners[i] = k.ID, k.UserID
	}
	days, err := v.store.LastDay(v.req.Context, v.org.ID, ids, v.now)
	if err != nil {
		return nil, err
	}
	names, err := v.store.Names(v.req.Context, v.org.ID, owners)
	if err != nil {
		return nil, err
	}
	rows := make([]keyRow, len(keys))
	for i, k := range keys {
		rows[i] = v.keyRow(k)
		rows[i].Owner, rows[i].OwnerPath, rows[i].Spark = names.Users[k.UserID], q.byOwner(k.UserID), spark(&days[i])
	}
	return rows, nil
}

func (v *visit) keyRow(k *auth.Key) keyRow {
	last := v.store.Keyring().LastUse(k.ID)
	found := auth.Hygiene(k, last, v.now)
	is := standingOf(k.State(v.now), v.store.Keyring().Disabled(k.UserID), found)
	row := keyRow{
		Path: keyPath(k), Name: k.Name, Snippet: k.Snippet, Standing: is, Title: is.Title(), Tone: is.Tone(), Live: !is.ended(),
		Scopes: k.Scopes.String(), Short: shortScopes(k.Scopes), Created: dateTag(k.CreatedAt),
	}
	if !last.At.IsZero() {
		row.Last = timeTag(last.At, span(v.now.Sub(last.At))+" ago")
	}
	if last.Addr.IsValid() {
		row.Addr = last.Addr.String()
	}
	switch end := endOf(k); {
	case !k.RevokedAt.IsZero():
		row.Ends = dateTag(k.RevokedAt)
	case !end.IsZero():
		row.Ends = dateTag(end)
		if row.Live {
			row.Left = "in " + span(end.Sub(v.now))
		}
	}
	for _, f := range found {
		a := adviceOn(f)
		row.Advice = append(row.Advice, rowAdvice{a.Short, a.Action, row.Path + "/" + a.Path})
	}
	return row
}

// keyPath is the path of the page of a key.
func keyPath(k *auth.Key) string { return keysPath + "/" + k.ID.String() }

// endOf is when a key ends by itself; zero: never.
func endOf(k *auth.Key) time.Time {
	if k.ExpiresAt.IsZero() || !k.RetiresAt.IsZero() && k.RetiresAt.Before(k.ExpiresAt) {
		return k.RetiresAt
	}
	return k.ExpiresAt
}

// dateTag is a moment as its date.
func dateTag(t time.Time) template.HTML { return timeTag(t, t.UTC().Format(time.DateOnly)) }

// timeTag is a moment in words, with the exact one on hover. It is markup of our own:
// words are never what somebody typed.
func timeTag(t time.Time, words string) template.HTML {
	t = t.UTC()
	return template.HTML(`<time datetime="` + t.Format(time.RFC3339) + `" title="` + t.Format("2006-01-02 15:04 UTC") + `">` + words + `</time>`)
}

// spark draws the last day of a key.
func spark(d *storage.Day) template.HTML {
	var counts [len(d.Hours)]uint64
	for i, hour := range d.Hours {
		counts[i] = hour.Requests
	}
	return chart.Spark(counts[:], requestsIn(d))
}

// requestsIn says how many requests there were in a day.
func requestsIn(d *storage.Day) string {
	var requests uint64
	for _, hour := range d.Hours {
		requests += hour.Requests
	}
	return plural(int64(requests), "request") + " in 24 h"
}
