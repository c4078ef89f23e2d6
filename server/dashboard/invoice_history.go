package dashboard

import (
	"strings"
	"time"

	"exante/auth/uid"
	"exante/storage"
	"exante/storage/billing"
)

// historyEntry is something that was done to an invoice.
type historyEntry struct {
	At   time.Time
	What string
	Who  string
}

// What a history shows and reads at most: few invoices have more entries, and a
// log that others wrote much into between is not read for ever.
const (
	maxHistory     = 50
	maxHistoryLook = 1000
)

// history is what was done to an invoice, the newest first; whole reports that there
// is no more.
func (v *visit) history(inv *billing.Invoice) (list []historyEntry, whole bool, err error) {
	found, err := v.store.AuditBack(v.req.Context, storage.AuditQuery{
		OrgID: v.org.ID, Target: inv.ID, Since: inv.CreatedAt, Until: inv.UpdatedAt.Add(time.Millisecond),
		Limit: maxHistory, Reach: maxHistoryLook,
	})
	if err != nil {
		return nil, false, err
	}
	emails, err := v.emails()
	if err != nil {
		return nil, false, err
	}
	list = make([]historyEntry, 0, len(found.Entries))
	for i := range found.Entries {
		e := &found.Entries[i]
		list = append(list, historyEntry{At: e.At, What: invoiceDeedOf(e), Who: v.actor(e.Actor, emails)})
	}
	return list, found.Before == 0, nil
}

// emails are the addresses of the organization's users.
func (v *visit) emails() (map[uid.ID]string, error) {
	users, err := v.store.Users(v.req.Context, v.org.ID)
	emails := make(map[uid.ID]string, len(users))
	for i := range users {
		emails[users[i].ID] = users[i].Email
	}
	return emails, err
}

// actor names who did something.
func (v *visit) actor(a storage.Actor, emails map[uid.ID]string) string {
	switch a.Kind {
	case storage.ByKey:
		if k, err := v.store.Key(v.org.ID, a.KeyID); err == nil {
			return "API key “" + k.Name + "”"
		}
		return "an API key"
	case storage.ByUser:
		if email := emails[a.UserID]; email != "" {
			return email
		}
		return "a user"
	case storage.ByShell:
		return "an operator"
	}
	return "exante"
}

// invoiceDeeds are the words for what is done to an invoice, by its action in the audit log.
var invoiceDeeds = map[storage.Action]string{
	"invoice.create":            "Created",
	"invoice.update":            "Changed",
	"invoice.line_items.add":    "Lines added",
	"invoice.line_items.update": "Lines changed",
	"invoice.line_items.delete": "Lines removed",
	"invoice.payment.record":    "Payment recorded",
	"invoice.attachment.add":    "File attached",
	"invoice.attachment.delete": "File removed",
	"invoice.import":            "Imported, with others",
}

// invoiceDeedOf says what was done, and to which fields. An action that is not known here
// keeps its name.
func invoiceDeedOf(e *storage.AuditEntry) string {
	deed := invoiceDeeds[e.Action]
	if deed == "" {
		return string(e.Action)
	}
	if fields := e.Detail["fields"]; fields != "" && e.Action == "invoice.update" {
		deed += ": " + strings.ReplaceAll(strings.ReplaceAll(fields, " ", ", "), "_", " ")
	}
	return deed
}
