package index_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"exante/auth/uid"
	"exante/storage/index"
)

func day(n int) int64 { return start.AddDate(0, 0, -n).Unix() }

func from(v int64) index.Range       { return index.Range{From: v, HasFrom: true} }
func to(v int64) index.Range         { return index.Range{To: v, HasTo: true} }
func between(a, b int64) index.Range { return index.Range{From: a, HasFrom: true, To: b, HasTo: true} }

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
		return index.Query{Issue: between(day(500+n%50), day(410+n%50)), Sort: index.Created, Desc: true}
	}},
	{"issue>=/-total", func(n int) index.Query {
		return index.Query{Issue: from(day(200 + n%50)), Sort: index.Total, Desc: true}
	}},
	{"due in 30 days,PAID/number", func(n int) index.Query {
		return index.Query{Due: between(day(330+n%50), day(300+n%50)), Statuses: []uint8{paid}, Sort: index.Number}
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

// BenchmarkFind prints the median of a page, of a filter that was not asked
// before and (again) of one that was, and how many times longer it takes to look
// at every row and sort what matches.
func BenchmarkFind(b *testing.B) {
	m := theMillion()
	for _, l := range lists {
		page := func(page, perPage int, again bool) time.Duration {
			name := fmt.Sprintf("%s/page=%d*%d", l.name, page, perPage)
			if again {
				name += "/again"
			}
			var median time.Duration
			b.Run(name, func(b *testing.B) {
				median = m.median(b, func(n int) {
					if again {
						n = 0
					}
					q := l.ask(n)
					q.Now, q.Limit, q.Offset = start, perPage, perPage*(page-1)
					m.x.Find(m.org, q)
				})
				if page == 1 {
					q := l.ask(0)
					q.Now = start
					b.ReportMetric(float64(m.naive(q))/float64(median), "x-naive")
				}
			})
			return median
		}
		page(1, 25, false)
		page(1000, 25, false)
		page(1000, 25, true)
		page(1000, 10, false)
	}
}

// median times fn, n = 0, 1 and so on: by the clock, and by the processor, which
// does not count what else the machine does.
func (m *million) median(b *testing.B, fn func(n int)) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var took, used []time.Duration
	for n := 0; b.Loop(); n++ {
		began, began2 := time.Now(), threadTime()
		fn(n)
		used = append(used, threadTime()-began2)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	slices.Sort(used)
	b.ReportMetric(micros(took[len(took)/2]), "p50-µs")
	b.ReportMetric(micros(used[len(used)/2]), "p50-cpu-µs")
	b.ReportMetric(micros(used[len(used)*99/100]), "p99-cpu-µs")
	b.ReportMetric(0, "ns/op")
	return used[len(used)/2]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// threadTime is the processor time of this thread.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

// naive is how long it takes to look at every row and to sort what matches.
func (m *million) naive(q index.Query) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	slow := reference{}
	var marks []index.Mark
	for i := range m.rows {
		if slow.matches(m.rows[i], q) {
			marks = append(marks, mark(m.rows[i], q.Sort, q.Now))
		}
	}
	slices.SortFunc(marks, func(a, b index.Mark) int { return compareMarks(a, b, q) })
	return threadTime() - began
}

// BenchmarkPut prints what a change costs, alone and beside queries.
func BenchmarkPut(b *testing.B) {
	m := theMillion()
	for _, queries := range []bool{false, true} {
		b.Run(fmt.Sprintf("queries=%v", queries), func(b *testing.B) {
			var stop atomic.Bool
			var asked sync.WaitGroup
			if queries {
				asked.Go(func() {
					for n := 0; !stop.Load(); n++ {
						q := lists[n%len(lists)].ask(n)
						q.Now, q.Limit = start, 25
						m.x.Find(m.org, q)
					}
				})
			}
			m.median(b, func(n int) {
				r := m.rows[n*7919%millionRows]
				r.Updated += int64(n)
				if r.Status == sent && n%2 == 0 {
					r.Status, r.Paid = paid, start.Unix()
				}
				m.x.Put(m.org, r)
			})
			stop.Store(true)
			asked.Wait()
		})
	}
}

// BenchmarkAll prints what the export of everything costs.
func BenchmarkAll(b *testing.B) {
	m := theMillion()
	b.ReportAllocs()
	m.median(b, func(int) { m.x.All(m.org, index.Query{Sort: index.Total, Now: start}) })
}

// BenchmarkDay prints how long the first query of a new day has to wait.
func BenchmarkDay(b *testing.B) {
	m := theMillion()
	m.median(b, func(n int) { m.x.Sums(m.org, start.AddDate(0, 0, n%2)) })
	m.x.Sums(m.org, start)
}
