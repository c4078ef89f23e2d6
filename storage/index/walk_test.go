package index_test

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"exante/auth/uid"
	"exante/storage/index"
)

// sorts calls fn on every order in both directions.
func sorts(fn func(q index.Query)) {
	for c := index.Created; c <= index.OverdueDays; c++ {
		for _, desc := range []bool{false, true} {
			fn(index.Query{Sort: c, Desc: desc, Now: start})
		}
	}
}

func TestThePagesOfAListMakeUpAllOfIt(t *testing.T) {
	b := both{index.NewOf(rule(), 16), newReference(), numbered(1)}
	b.loadRandom(1, 1500)
	sorts(func(sorted index.Query) {
		for _, filter := range []func(*index.Query){
			func(*index.Query) {},
			func(q *index.Query) { q.Statuses = []uint8{overdue, paid} },
			func(q *index.Query) { q.Issue, q.Search = from(start.Unix()), "inv" },
		} {
			q := sorted
			filter(&q)
			all := b.All(b.org, q)
			if want, _ := b.all(q); len(want) != len(all) {
				t.Fatalf("%+v: All has %d ids, want %d", q, len(all), len(want))
			}
			q.Limit = 70
			var paged, walked []uid.ID
			for ; q.Offset < len(all)+70; q.Offset += 70 {
				paged = append(paged, b.Find(b.org, q).IDs...)
			}
			walk := q
			for walk.Offset = 0; ; {
				p := b.Find(b.org, walk)
				walked = append(walked, p.IDs...)
				if walk.After = p.Next; p.Next == nil {
					break
				}
			}
			if !slices.Equal(paged, all) || !slices.Equal(walked, all) {
				t.Fatalf("%+v: %d ids by page, %d by cursor, which are not the %d of All", q, len(paged), len(walked), len(all))
			}
		}
	})
}

// touched are the rows that the next test changes; the others stay.
func touched(id uid.ID) bool { return id[15]%2 == 0 }

func TestAWalkMeetsWhatStayedOnceWhileRowsComeMoveAndGo(t *testing.T) {
	b := both{index.NewOf(rule(), 16), newReference(), numbered(1)}
	b.loadRandom(1, 1500)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		random := rand.New(rand.NewPCG(9, 9))
		for {
			select {
			case <-stop:
				return
			default:
			}
			id := numbered(random.Uint64N(3000) &^ 1)
			if r := randomRow(random, id); random.IntN(3) > 0 {
				b.Put(b.org, r)
			} else {
				b.Remove(b.org, id)
			}
		}
	}()
	sorts(func(q index.Query) {
		met := map[uid.ID]int{}
		q.Limit = 40
		for {
			p := b.Find(b.org, q)
			for _, id := range p.IDs {
				met[id]++
			}
			if q.After = p.Next; p.Next == nil {
				break
			}
		}
		for id := range b.rows {
			if !touched(id) && met[id] != 1 {
				t.Errorf("column %d desc %v: met row %v, which stayed, %d times", q.Sort, q.Desc, id, met[id])
			}
		}
	})
	close(stop)
	<-stopped
}

// A row that is changed keeps its place in an order by what did not change.
func TestAWalkByNumberMeetsNoRowTwiceThoughAllAreUpdated(t *testing.T) {
	b := both{index.NewOf(rule(), 16), newReference(), numbered(1)}
	b.loadRandom(1, 1500)
	met := map[uid.ID]bool{}
	q := index.Query{Sort: index.Number, Limit: 40, Now: start}
	for at := int64(0); ; at++ {
		p := b.Find(b.org, q)
		for _, id := range p.IDs {
			if met[id] {
				t.Errorf("met row %v twice", id)
			}
			met[id] = true
		}
		for _, r := range b.rows {
			r.Updated, r.Total, r.Status = at, -at, paid
			b.Put(b.org, r)
		}
		if q.After = p.Next; p.Next == nil {
			break
		}
	}
	if len(met) != 1500 {
		t.Errorf("met %d rows, want 1500", len(met))
	}
}

// What is remembered of a filter counts the rows of all segments. A walk that goes
// on in the last segment of an order must not skip by it.
func TestWalkGoesOnInTheLastSegmentOfARememberedFilter(t *testing.T) {
	b := both{index.NewOf(rule(), 4), newReference(), numbered(1)}
	b.loadRandom(3, 1200)
	for c := index.Created; c <= index.OverdueDays; c++ {
		for _, desc := range []bool{false, true} {
			q := index.Query{Sort: c, Desc: desc, Limit: 3, Now: start, Total: index.Range{From: 7, HasFrom: true}, Updated: index.Range{From: start.UnixMilli(), HasFrom: true}}
			b.Find(b.org, q) // and remember
			marks, _ := b.all(q)
			for at := range marks {
				q.After = &marks[at]
				for _, q.Offset = range []int{0, 6, 20} {
					if page, want := b.Find(b.org, q), b.find(q); !reflect.DeepEqual(page, want) {
						t.Fatalf("column %d, descending %v, after row %d, offset %d:\nfinds %+v\nwant  %+v", c, desc, at, q.Offset, page, want)
					}
				}
			}
		}
	}
}
