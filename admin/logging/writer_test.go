package logging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"exante/admin/logging"
)

func TestEverythingIsWrittenInOrder(t *testing.T) {
	var out bytes.Buffer
	w := logging.New(&out, func(n uint64) { t.Errorf("%d dropped", n) })
	var want strings.Builder
	for i := range 2000 {
		fmt.Fprintf(io.MultiWriter(w, &want), "line %d\n", i)
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() || w.Dropped() != 0 {
		t.Errorf("%d bytes written of %d, %d lines dropped", out.Len(), want.Len(), w.Dropped())
	}
}

// A reader that takes nothing for a while costs no caller any time and only so much
// memory; when it goes on, whole lines are there, and one that says how many are not.
func TestABlockedReaderHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		told := uint64(0)
		w := logging.New(out, func(n uint64) { told += n; fmt.Fprintf(out, "dropped %d\n", n) })
		began, line := time.Now(), strings.Repeat("x", 99)+"\n"
		const lines = 50_000
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				for range lines / 10 {
					io.WriteString(w, line)
				}
			})
		}
		all.Wait()
		if d := time.Since(began); d != 0 {
			t.Errorf("the writers waited for %v", d)
		}
		if w.Dropped() < lines/2 {
			t.Errorf("only %d of %d lines were dropped: too much is kept", w.Dropped(), lines)
		}
		read := make(chan string)
		go func() { text, _ := io.ReadAll(in); read <- string(text) }()
		synctest.Wait()
		io.WriteString(w, "after\n")
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		out.Close()
		text := <-read
		whole, note := strings.Count(text, line), fmt.Sprintf("dropped %d\n", w.Dropped())
		if uint64(whole)+w.Dropped() != lines || told != w.Dropped() || !strings.HasSuffix(text, note+"after\n") {
			t.Errorf("%d lines, %d dropped, %d told, end %q", whole, w.Dropped(), told, text[max(0, len(text)-60):])
		}
	})
}

func TestCloseGivesUpOnWhoNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		w := logging.New(out, nil)
		io.WriteString(w, "lost\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close = %v", err)
		}
		io.WriteString(w, "too late\n")
		if w.Dropped() != 1 {
			t.Errorf("%d dropped after Close, want 1", w.Dropped())
		}
		in.Close()
	})
}
