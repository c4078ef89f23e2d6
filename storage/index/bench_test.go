package index_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"exante/auth/uid"
	"exante/storage/index"
)

func day(n int) int64 { return start.AddDate(0, 0, -n).Unix() }

func from(v int64) index.Range   { return index.Range{From: v, HasFrom: true} }
func to(v int64) index.Range     { return index.Range{To: v, HasTo: true} }
func in2(a, b int64) index.Range { return index.Range{From: a, HasFrom: true, To: b, HasTo: true} }

// lists are what is asked of a large organization. n makes them differ from one
// time to the next, so that no answer is one that was given before.
var lists = []struct {
	name string
	ask  func(n int) index.Query
}{
	{"all/-created_at", func(int) index.Query { return index.Query{Sort: index.Created, Desc: true} }},
	{"all/number", func(int) index.Query { return index.Query{Sort: index.Number} }},
	{"all/status", func(int) index.Query { return index.Query{Sort: index.Status} }},
	{"all/-overdue_days", func(int) index.Query { return index.Query{Sort: index.OverdueDays, Desc: true} }},
	{"status=PAID/-total", func(int) index.Query {
		return index.Query{Statuses: []uint8{paid}, Sort: index.Total, Desc: true}
	}},
	{"status=OVERDUE/due_date", func(int) index.Query {
		return index.Query{Statuses: []uint8{overdue}, Sort: index.Due}
	}},
	{"status=OVERDUE/-total", func(int) index.Query {
		return index.Query{Statuses: []uint8{overdue}, Sort: index.Total, Desc: true}
	}},
	{"status,currency,method/updated", func(int) index.Query {
		return index.Query{Statuses: []uint8{sent, part, overdue}, Currencies: []string{"EUR"}, Methods: []uint8{1}, Sort: index.Updated}
	}},
	{"issue>=/-created_at", func(n int) index.Query {
		return index.Query{Issue: from(day(200 + n%50)), Sort: index.Created, Desc: true}
	}},
	{"issue in 90 days/-created_at", func(n int) index.Query {
		return index.Query{Issue: in2(day(500+n%50), day(410+n%50)), Sort: index.Created, Desc: true}
	}},
	{"issue>=/-total", func(n int) index.Query {
		return index.Query{Issue: from(day(200 + n%50)), Sort: index.Total, Desc: true}
	}},
	{"due in 30 days,PAID/number", func(n int) index.Query {
		return index.Query{Due: in2(day(330+n%50), day(300+n%50)), Statuses: []uint8{paid}, Sort: index.Number}
	}},
	{"total>=/due_date", func(n int) index.Query {
		return index.Query{Total: from(300_000 + int64(n)*100), Sort: index.Due}
	}},
	{"overdue_days>=/-overdue_days", func(n int) index.Query {
		return index.Query{OverdueDays: from(30 + int64(n%20)), Sort: index.OverdueDays, Desc: true}
	}},
	{"large party/-created_at", func(n int) index.Query {
		return index.Query{Parties: []uid.ID{numbered(uint64(n % 2))}, Sort: index.Created, Desc: true}
	}},
	{"party/-total", func(n int) index.Query {
		return index.Query{Parties: []uid.ID{numbered(uint64(100 + n%1900))}, Sort: index.Total, Desc: true}
	}},
	{"updated_since/updated", func(n int) index.Query {
		return index.Query{Updated: from(1000 * day(20+n%10)), Sort: index.Updated}
	}},
	{"three ranges/paid_date", func(n int) index.Query {
		return index.Query{Issue: from(day(900 + n%50)), Total: to(900_000), Due: to(day(20)), Sort: index.Paid}
	}},
	{"party,range,status/issue_date", func(n int) index.Query {
		return index.Query{Parties: []uid.ID{numbered(0), numbered(uint64(1 + n%9))}, Total: from(5000), Statuses: []uint8{paid}, Sort: index.Issue}
	}},
	{"search number/-created_at", func(n int) index.Query {
		return index.Query{Search: fmt.Sprintf("%03d", n%1000), Sort: index.Created, Desc: true}
	}},
	{"search name/-created_at", func(n int) index.Query {
		return index.Query{Search: fmt.Sprintf("sons %d", n%1000), Sort: index.Created, Desc: true}
	}},
	{"search inv/total", func(int) index.Query { return index.Query{Search: "Inv", Sort: index.Total} }},
}

// BenchmarkFind prints the median of a page, and how many times longer it takes
// to look at every row and sort what matches.
func BenchmarkFind(b *testing.B) {
	m := theMillion()
	m.x.Find(m.org, index.Query{Now: start})
	for _, l := range lists {
		for _, page := range []int{1, 1000} {
			b.Run(fmt.Sprintf("%s/page=%d", l.name, page), func(b *testing.B) {
				var took []time.Duration
				for n := 0; b.Loop(); n++ {
					q := l.ask(n)
					q.Now, q.Limit, q.Offset = start, 25, 25*(page-1)
					began := time.Now()
					m.x.Find(m.org, q)
					took = append(took, time.Since(began))
				}
				slices.Sort(took)
				median := took[len(took)/2]
				b.ReportMetric(float64(median.Nanoseconds())/1000, "p50-µs")
				b.ReportMetric(0, "ns/op")
				if page == 1 {
					q := l.ask(0)
					q.Now, q.Limit = start, 25
					b.ReportMetric(float64(m.naive(q))/float64(median), "x-naive")
				}
			})
		}
	}
}

// naive is how long it takes to look at every row and to sort what matches.
func (m *million) naive(q index.Query) time.Duration {
	began := time.Now()
	slow := reference{}
	var marks []index.Mark
	for i := range m.rows {
		if slow.matches(m.rows[i], q) {
			marks = append(marks, mark(m.rows[i], q.Sort, q.Now))
		}
	}
	slices.SortFunc(marks, func(a, b index.Mark) int { return compareMarks(a, b, q) })
	return time.Since(began)
}

// BenchmarkPut prints what a change costs, alone and beside queries.
func BenchmarkPut(b *testing.B) {
	m := theMillion()
	var stop atomic.Bool
	for _, queries := range []bool{false, true} {
		b.Run(fmt.Sprintf("queries=%v", queries), func(b *testing.B) {
			done := make(chan struct{})
			stop.Store(!queries)
			go func() {
				for n := 0; !stop.Load(); n++ {
					q := lists[n%len(lists)].ask(n)
					q.Now, q.Limit = start, 25
					m.x.Find(m.org, q)
				}
				close(done)
			}()
			var took []time.Duration
			for n := 0; b.Loop(); n++ {
				r := m.rows[n*7919%millionRows]
				r.Updated += int64(n)
				if r.Status == sent && n%2 == 0 {
					r.Status, r.Paid = paid, start.Unix()
				}
				began := time.Now()
				m.x.Put(m.org, r)
				took = append(took, time.Since(began))
			}
			stop.Store(true)
			<-done
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1000, "p99-µs")
			b.ReportMetric(0, "ns/op")
		})
	}
}
