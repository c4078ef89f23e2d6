package server

import (
	"maps"
	"slices"

	"exante/server/filter"
	"exante/storage"
	"exante/storage/billing"
)

// write writes one amount for each status.
func (a amounts) write(w *jsonWriter) {
	w.open('{')
	for _, status := range billing.Statuses() {
		n, _ := a[status].Int64()
		w.int(memberOf(status), n)
	}
	w.close('}')
}

func writeStats(w *jsonWriter, currency billing.Currency, s stats) {
	w.open('{')
	w.text("currency", string(currency))
	w.name("amountTotals")
	s.amounts[currency].write(w)
	w.name("countTotals")
	w.open('{')
	for _, status := range billing.Statuses() {
		w.int(memberOf(status), int64(s.counts[status]))
	}
	w.close('}')
	w.name("amountTotalsByCurrency")
	w.open('{')
	for _, c := range slices.Sorted(maps.Keys(s.amounts)) {
		w.name(string(c))
		s.amounts[c].write(w)
	}
	w.close('}')
	w.close('}')
}

func writeFilterOptions(w *jsonWriter, s *storage.InvoiceSpans) {
	w.open('{')
	w.texts("statuses", filter.WordsOf(s.Statuses))
	methods := make([]string, len(s.CollectionMethods))
	for i, m := range s.CollectionMethods {
		methods[i] = m.String()
	}
	w.texts("collection_methods", methods)
	w.name("date_range")
	w.open('{')
	all := spanOf(s.Issue, s.Due, s.Paid)
	w.time("min", all.From)
	w.time("max", all.To)
	writeTimeSpan(w, "due_date", s.Due)
	writeTimeSpan(w, "issue_date", s.Issue)
	writeTimeSpan(w, "paid_date", s.Paid)
	w.close('}')
	writeIntSpan(w, "total", s.Total)
	writeIntSpan(w, "overdue_days", s.OverdueDays)
	w.close('}')
}

// spanOf is the span of all spans that there are.
func spanOf(spans ...storage.TimeRange) (all storage.TimeRange) {
	for _, s := range spans {
		if s.From.IsZero() {
			continue
		}
		if all.From.IsZero() || s.From.Before(all.From) {
			all.From = s.From
		}
		if s.To.After(all.To) {
			all.To = s.To
		}
	}
	return all
}

func writeTimeSpan(w *jsonWriter, name string, s storage.TimeRange) {
	w.name(name)
	w.open('{')
	w.time("min", s.From)
	w.time("max", s.To)
	w.close('}')
}

func writeIntSpan(w *jsonWriter, name string, s storage.IntRange) {
	w.name(name)
	w.open('{')
	if s.HasFrom {
		w.int("min", s.From)
		w.int("max", s.To)
	} else {
		w.null("min")
		w.null("max")
	}
	w.close('}')
}
