package admin_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"exante/admin"
)

func TestStackClosesInReverseAndReportsAll(t *testing.T) {
	var open admin.Stack
	order := ""
	for _, name := range []string{"store", "meters", "socket"} {
		open.Opened(func(context.Context) error {
			order += name + " "
			return errors.New(name + " failed")
		})
	}
	err := open.Close(time.Minute, time.Minute, func() { t.Error("gave up") })
	if order != "socket meters store " || err == nil || err.Error() != "socket failed\nmeters failed\nstore failed" {
		t.Errorf("order = %s, err = %v", order, err)
	}
}

func TestStackGivesEachPartItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open admin.Stack
		closed := false
		open.Opened(func(context.Context) error { closed = true; return nil })
		open.Opened(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		err := open.Close(10*time.Second, 30*time.Second, func() { t.Error("gave up") })
		if !errors.Is(err, context.DeadlineExceeded) || !closed {
			t.Errorf("err = %v, the part below closed = %v", err, closed)
		}
	})
}

func TestStackGivesUpOnAPartThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open admin.Stack
		release := make(chan struct{})
		open.Opened(func(context.Context) error { <-release; return nil })
		began := time.Now()
		open.Close(10*time.Second, 30*time.Second, func() { close(release) })
		if waited := time.Since(began); waited != 30*time.Second {
			t.Errorf("gave up after %s, want 30s", waited)
		}
	})
}
