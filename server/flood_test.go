package server_test

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"exante/auth"
)

// TestFloodOfUnknownKeysCostsNothing sends well-formed keys that nobody has, as
// fast as 64 connections can: each gets 401, none starts an argon2id or reads
// from the database, and a good key goes on as before.
func TestFloodOfUnknownKeysCostsNothing(t *testing.T) {
	const conns, each = 64, 400
	w := start(t, nil)
	if r := w.get("/api/api-keys/current", w.acme.key); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	hashes, views := w.hasher.Runs(), w.store.Views()
	began := time.Now()
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			if err := sendUnknownKeys(w.addr, each); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rate := float64(conns*each) / time.Since(began).Seconds()
	if n := w.hasher.Runs() - hashes; n != 0 {
		t.Errorf("%d argon2id computations were started", n)
	}
	if n := w.store.Views() - views; n != 0 {
		t.Errorf("the database was read %d times", n)
	}
	if r := w.get("/api/api-keys/current", w.acme.key); r.status != 200 {
		t.Errorf("the good key after the flood: %d %s", r.status, r.body)
	}
	t.Logf("%d refusals, %.0f a second, 0 argon2id, 0 reads", conns*each, rate)
}

// sendUnknownKeys sends so many requests, each with a fresh key of the right
// form, and wants 401 invalid_api_key for all of them.
func sendUnknownKeys(addr string, n int) error {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	buf := make([]byte, 4096)
	for range n {
		token, err := auth.Mint(auth.Live, nil)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(conn, "GET /api/invoices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token.Reveal()); err != nil {
			return err
		}
		got, err := conn.Read(buf)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(buf[:got], []byte("HTTP/1.1 401 ")) || !bytes.Contains(buf[:got], []byte(`"code":"invalid_api_key"`)) {
			return fmt.Errorf("answer = %s", buf[:got])
		}
	}
	return nil
}
