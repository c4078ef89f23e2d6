package index

import (
	"slices"
	"sync"
	"testing"
)

func TestRowsThatComeDuringAQueryWaitForItsEnd(t *testing.T) {
	var rows []int
	f := follower[int]{put: func(n int) { rows = append(rows, n) }}
	f.follow(1)
	f.read(func() {
		f.follow(2) // would never return if it waited for the query
		f.follow(3)
		if !slices.Equal(rows, []int{1}) {
			t.Errorf("the rows are %v during the query, want them to stand still", rows)
		}
	})
	f.read(func() {
		if !slices.Equal(rows, []int{1, 2, 3}) {
			t.Errorf("the next query reads %v, want all that came before it", rows)
		}
	})
	f.follow(4)
	if !slices.Equal(rows, []int{1, 2, 3, 4}) || len(f.late) > 0 {
		t.Errorf("with no query running the rows are %v, and %v wait", rows, f.late)
	}
}

func TestQueriesSeeRowsInOrderWhileTheyCome(t *testing.T) {
	var rows []int
	f := follower[int]{put: func(n int) { rows = append(rows, n) }}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				f.read(func() {
					for i, n := range rows {
						if i != n {
							t.Errorf("row %d is at place %d", n, i)
						}
					}
				})
			}
		})
	}
	for n := range 1000 {
		f.follow(n)
		f.read(func() {
			if len(rows) != n+1 {
				t.Errorf("%d rows after %d came", len(rows), n+1)
			}
		})
	}
	close(done)
	readers.Wait()
}

func TestAWriterFarAheadWaitsForTheRowsToBePut(t *testing.T) {
	put := 0
	f := follower[int]{put: func(int) { put++ }}
	entered, leave, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go f.read(func() {
		close(entered)
		<-leave
	})
	<-entered
	for n := range mostLate - 1 {
		f.follow(n)
	}
	if put != 0 || len(f.late) != mostLate-1 {
		t.Errorf("%d rows were put during the query and %d wait", put, len(f.late))
	}
	go func() {
		f.follow(0)
		close(left)
	}()
	close(leave)
	<-left
	if put != mostLate || len(f.late) != 0 {
		t.Errorf("%d rows are put and %d wait, want all %d put", put, len(f.late), mostLate)
	}
}
