package billing

import "strings"

// Status is where an invoice stands.
type Status uint8

// The statuses. Overdue is computed (Invoice.StatusAt) and never stored. The
// numbers are on disk: append only.
const (
	Draft Status = iota + 1
	Approved
	Scheduled
	Sent
	Overdue
	PartiallyPaid
	Paid
	Disputed
	Void
	Cancelled
)

var statusNames = [...]string{
	Draft: "DRAFT", Approved: "APPROVED", Scheduled: "SCHEDULED", Sent: "SENT", Overdue: "OVERDUE",
	PartiallyPaid: "PARTIALLY_PAID", Paid: "PAID", Disputed: "DISPUTED", Void: "VOID", Cancelled: "CANCELLED",
}

// moves are the status changes that a caller may ask for, by what is stored.
var moves = [len(statusNames)][]Status{
	Draft:         {Approved, Scheduled, Sent, Cancelled},
	Approved:      {Draft, Scheduled, Sent, Cancelled},
	Scheduled:     {Approved, Sent, Cancelled},
	Sent:          {PartiallyPaid, Paid, Disputed, Void},
	PartiallyPaid: {Paid, Disputed, Void},
	Disputed:      {Sent, PartiallyPaid, Paid, Void},
}

// Statuses are all statuses, in the order of an invoice's life.
func Statuses() []Status {
	return []Status{Draft, Approved, Scheduled, Sent, Overdue, PartiallyPaid, Paid, Disputed, Void, Cancelled}
}

// String is the name on the wire: "PARTIALLY_PAID".
func (s Status) String() string { return nameOf(statusNames[:], s) }

// ParseStatus reads a name in either case.
func ParseStatus(text string) (Status, bool) {
	for s, name := range statusNames {
		// Equal length keeps out letters that only fold to ASCII, such as U+017F.
		if s > 0 && len(name) == len(text) && strings.EqualFold(name, text) {
			return Status(s), true
		}
	}
	return 0, false
}

// unsent reports a status in which an invoice is still being written: all of it
// may change.
func (s Status) unsent() bool { return s == Draft || s == Approved || s == Scheduled }

// payable reports a stored status in which payments are taken.
func (s Status) payable() bool { return s == Sent || s == PartiallyPaid || s == Disputed }

// FallsDue reports a stored status that reads OVERDUE once the due date has passed.
func (s Status) FallsDue() bool { return s == Sent || s == PartiallyPaid }

// nameOf is the name of a code, "" for one that has none.
func nameOf[T ~uint8](names []string, code T) string {
	if int(code) >= len(names) {
		return ""
	}
	return names[code]
}

// codeOf is the code with that name.
func codeOf[T ~uint8](names []string, name string) (T, bool) {
	for code, n := range names {
		if code > 0 && n == name {
			return T(code), true
		}
	}
	return 0, false
}
