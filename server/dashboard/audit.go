package dashboard

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
)

// auditPage is a step back through the audit log of the organization.
type auditPage struct {
	Form    *form
	Groups  []deedGroup
	Entries []deed
	Older   string    // where to go on; "": there is no more
	Newest  string    // where it begins; "": here
	Stopped time.Time // how far back it looked, if that was not far enough for a page
	Narrow  bool      // something is filtered
}

// deed is a record of the log in words.
type deed struct {
	storage.AuditEntry
	Who     thing
	Words   string
	Target  thing
	Details []detail
}

// thing is a record that the log mentions: what it is called, and its page.
type thing struct{ Name, More, Path string }

type detail struct {
	Name   string
	Values []thing
}

func audit(v *visit) error {
	f := &form{values: v.req.Query, reasons: map[string]string{}}
	q, err := v.auditQuery(f)
	if err != nil {
		return err
	}
	data := auditPage{Form: f, Groups: deedGroups(), Narrow: auditPath(f, 0) != "/audit"}
	if !f.ok() {
		return v.show(http.StatusUnprocessableEntity, "audit", "Audit", data)
	}
	found, err := v.store.AuditBack(v.req.Context, q)
	if errors.Is(err, input.ErrInvalid) {
		f.refuse("action", "There is no such action.")
		return v.show(http.StatusUnprocessableEntity, "audit", "Audit", data)
	}
	if err != nil {
		return err
	}
	if data.Entries, err = v.deeds(found.Entries); err != nil {
		return err
	}
	if found.Before != 0 {
		data.Older = auditPath(f, found.Before)
		if len(found.Entries) < pageSize {
			data.Stopped = found.Reached
		}
	}
	if q.Before != 0 {
		data.Newest = auditPath(f, 0)
	}
	return v.show(http.StatusOK, "audit", "Audit", data)
}

// deeds puts records into words. A name is that which the thing has today; one that
// is gone, or is another organization's, has none.
func (v *visit) deeds(entries []storage.AuditEntry) ([]deed, error) {
	mentioned := map[uid.ID]bool{}
	for _, e := range entries {
		for _, id := range []uid.ID{e.Target, e.Actor.KeyID, e.Actor.UserID} {
			mentioned[id] = true
		}
		for _, text := range e.Detail {
			for _, word := range strings.Fields(text) {
				if id, err := uid.Parse(word); err == nil && len(mentioned) < maxMentioned {
					mentioned[id] = true
				}
			}
		}
	}
	delete(mentioned, uid.ID{})
	names, err := v.store.Names(v.req.Context, v.org.ID, slices.Collect(maps.Keys(mentioned)))
	if err != nil {
		return nil, err
	}
	list := make([]deed, len(entries))
	for n, e := range entries {
		list[n] = deed{AuditEntry: e, Who: actor(&names, e.Actor), Words: deeds[e.Action], Target: target(&names, &e), Details: detailsOf(&names, e.Detail)}
	}
	return list, nil
}

// maxMentioned bounds how many names one page looks up: the details of a record can
// mention a hundred attachments.
const maxMentioned = 500

// called is the thing with that uid; its name is empty if there is none.
func called(names *storage.Names, id uid.ID) thing {
	if name, ok := names.Users[id]; ok {
		return thing{Name: name, Path: "/settings/users/" + id.String()}
	}
	if name, ok := names.Keys[id]; ok {
		return thing{Name: name, More: names.Snippets[id], Path: "/settings/api-keys/" + id.String()}
	}
	if name, ok := names.Invoices[id]; ok {
		if name == "" {
			name = "without a number"
		}
		return thing{Name: name, Path: "/invoices/" + id.String()}
	}
	return thing{Name: names.Parties[id]}
}

// actor is who did it.
func actor(names *storage.Names, a storage.Actor) thing {
	switch a.Kind {
	case storage.ByUser:
		return known(names, a.UserID, "a user who is gone")
	case storage.ByKey:
		return known(names, a.KeyID, "an API key that is gone")
	case storage.ByShell:
		return thing{Name: "Operator", More: fmt.Sprintf("in the shell, Unix user %d", a.LocalUID)}
	}
	return thing{Name: "System"}
}

func known(names *storage.Names, id uid.ID, otherwise string) thing {
	t := called(names, id)
	if t.Name == "" {
		return thing{Name: otherwise, More: id.String()}
	}
	return t
}

// target is what it was done to. That of a session is its user, who did it or is in
// the details, and the organization is the reader's own.
func target(names *storage.Names, e *storage.AuditEntry) thing {
	switch e.Action.Kind() {
	case "session", "org":
		return thing{}
	}
	if t := called(names, e.Target); t.Name != "" {
		return t
	}
	return thing{Name: e.Target.String()}
}

// detailsOf are the details by name, with uids as what they name.
func detailsOf(names *storage.Names, d storage.Detail) []detail {
	var list []detail
	for _, name := range slices.Sorted(maps.Keys(d)) {
		one := detail{Name: strings.ReplaceAll(name, "_", " ")}
		for _, word := range strings.Fields(d[name]) {
			t := thing{}
			if id, err := uid.Parse(word); err == nil {
				t = called(names, id)
			}
			if t.Name == "" {
				t = thing{Name: word}
			}
			one.Values = append(one.Values, t)
		}
		list = append(list, one)
	}
	return list
}
