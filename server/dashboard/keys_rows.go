package dashboard

import (
	"html/template"
	"strings"
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
	Title               string // of that
	Live                bool   // it has not ended
	Advice              []rowAdvice

	Badge, Scopes, Last, Created, Ends, Spark template.HTML
}

// rowAdvice is what to do about one key.
type rowAdvice struct{ Short, Action, Path string }

// keyRows are the lines of one page.
func (v *visit) keyRows(q *keyQuery, keys []*auth.Key) ([]keyRow, error) {
	emails, err := v.emails(keys...)
	if err != nil {
		return nil, err
	}
	ids := make([]uid.ID, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	days, err := v.store.LastDay(v.req.Context, v.org.ID, ids, v.now)
	if err != nil {
		return nil, err
	}
	rows := make([]keyRow, len(keys))
	for i, k := range keys {
		rows[i] = v.keyRow(k)
		rows[i].Owner, rows[i].OwnerPath, rows[i].Spark = emails[k.UserID], q.byOwner(k.UserID), spark(&days[i])
	}
	return rows, nil
}

func (v *visit) keyRow(k *auth.Key) keyRow {
	last := v.store.Keyring().LastUse(k.ID)
	found := auth.Hygiene(k, last, v.now)
	is := standingOf(k.State(v.now), v.store.Keyring().Disabled(k.UserID), found)
	row := keyRow{
		Path: keyPath(k), Name: k.Name, Snippet: k.Snippet, Standing: is, Title: is.Title(), Live: !is.ended(), Created: dateTag(k.CreatedAt), Last: neverCell, Ends: neverCell,
	}
	row.Badge = markup(`<span class="badge `, is.Tone(), `">`, row.Title, `</span>`)
	row.Scopes = markup(`<span class="short" title="`, k.Scopes.String(), `">`, shortScopes(k.Scopes), `</span>`)
	if !last.At.IsZero() {
		addr := ""
		if last.Addr.IsValid() {
			addr = last.Addr.String()
		}
		row.Last = above(timeTag(last.At, span(v.now.Sub(last.At))+" ago"), addr)
	}
	switch end := endOf(k); {
	case !k.RevokedAt.IsZero():
		row.Ends = above(dateTag(k.RevokedAt), "")
	case !end.IsZero() && row.Live:
		row.Ends = above(dateTag(end), "in "+span(end.Sub(v.now)))
	case !end.IsZero():
		row.Ends = above(dateTag(end), "")
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

const neverCell template.HTML = `<span class="muted">Never</span>`

// above is a cell with small words below; "": none.
func above(cell template.HTML, small string) template.HTML {
	if small == "" {
		return `<span class="stack">` + cell + `</span>`
	}
	return `<span class="stack">` + cell + markup("<small>", small, "</small>") + `</span>`
}

// markup is tags of ours and texts by turns. The texts are escaped.
func markup(parts ...string) template.HTML {
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 1 {
			part = template.HTMLEscapeString(part)
		}
		b.WriteString(part)
	}
	return template.HTML(b.String())
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
