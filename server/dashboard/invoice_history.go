package dashboard

import (
	"strings"
	"time"

	"exante/storage"
	"exante/storage/billing"
)

// historyEntry is something that was done to an invoice.
type historyEntry struct {
	At   time.Time
	What string
	Who  thing
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
	done, err := v.deeds(found.Entries)
	if err != nil {
		return nil, false, err
	}
	list = make([]historyEntry, 0, len(done))
	for i := range done {
		list = append(list, historyEntry{At: done[i].At, What: invoiceDeedOf(&done[i].AuditEntry), Who: done[i].Who})
	}
	return list, found.Before == 0, nil
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
