package dashboard

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage"
)

// auditFields are those of the filter; "before" is the place from which to go on.
var auditFields = []string{"action", "who", "from", "to"}

// auditReach is how many records one page reads at most, for whatever is looked for: a
// few milliseconds.
const auditReach = 5000

// auditQuery is what the form asks for. What is wrong with it goes to f.
func (v *visit) auditQuery(f *form) (storage.AuditQuery, error) {
	q := storage.AuditQuery{OrgID: v.org.ID, Limit: pageSize, Reach: auditReach, Action: f.value("action")}
	if text := f.value("before"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n == 0 {
			f.general = append(f.general, "The address of this page is not whole. This is the newest of the log.")
		}
		q.Before = n
	}
	q.Since = dayOf(f, "from")
	if q.Until = dayOf(f, "to"); !q.Until.IsZero() {
		q.Until = q.Until.AddDate(0, 0, 1) // the day itself is in it
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		f.refuse("to", "This is before the first day.")
	}
	return q, v.takeActor(f, &q)
}

// dayOf is the beginning of a day in UTC; zero if none was given.
func dayOf(f *form, name string) time.Time {
	text := f.value(name)
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1970 {
		f.refuse(name, "Write a day as 2026-01-31.")
		return time.Time{}
	}
	return day
}

// takeActor narrows q to a user or a key, by address, name, snippet or uid.
func (v *visit) takeActor(f *form, q *storage.AuditQuery) error {
	who := f.value("who")
	switch {
	case who == "":
		return nil
	case strings.Contains(who, "@"):
		id, err := v.userAt(who)
		if err == nil && !id.IsZero() {
			q.UserID = id
			return nil
		}
		if err != nil {
			return err
		}
	}
	keys := v.keysCalled(who)
	switch id, err := uid.Parse(who); {
	case len(keys) == 1:
		q.KeyID = keys[0]
	case len(keys) > 1:
		f.refuse("who", fmt.Sprintf("%d API keys have this name: take the uid or the snippet of the one that you mean.", len(keys)))
	case err == nil:
		q.UserID = id // of somebody, or of nobody: then nothing is found
	default:
		f.refuse("who", "No user of the organization has this address, and no API key this name.")
	}
	return nil
}

// keysCalled are the keys of the organization with that uid, snippet or name.
func (v *visit) keysCalled(who string) (ids []uid.ID) {
	for _, k := range v.store.Keys(v.org.ID) {
		if k.Snippet == who || strings.EqualFold(k.Name, who) || len(who) == 36 && k.ID.String() == strings.ToLower(who) {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// auditPath is the page with the same filter that goes on before a record; 0: from
// the newest.
func auditPath(f *form, before uint64) string {
	query := url.Values{}
	for _, name := range auditFields {
		if text := f.value(name); text != "" {
			query.Set(name, text)
		}
	}
	if before != 0 {
		query.Set("before", strconv.FormatUint(before, 10))
	}
	if len(query) == 0 {
		return "/audit"
	}
	return "/audit?" + query.Encode()
}
