package server_test

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// load sends one prebuilt request over and over, on many keep-alive connections at
// once. It shares the machine with the server that it measures, so it does next to
// nothing: write, find the end of the answer, write again.
type load struct {
	addr    string
	request []byte
	conns   int
	time    time.Duration
}

// rate is what came of a load.
type rate struct {
	perSecond float64
	p50, p99  time.Duration
}

func (l load) run(tb testing.TB) rate {
	tb.Helper()
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		all     []time.Duration
		failure error
	)
	start := time.Now()
	for range l.conns {
		wg.Go(func() {
			times, err := l.drive(start.Add(l.time))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
			if err != nil {
				failure = err
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	if failure != nil {
		tb.Fatalf("load on %s: %v", l.addr, failure)
	}
	slices.Sort(all)
	return rate{float64(len(all)) / took.Seconds(), all[len(all)/2], all[len(all)*99/100]}
}

// drive is one connection until the deadline.
func (l load) drive(deadline time.Time) (times []time.Duration, err error) {
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	times = make([]time.Duration, 0, 1<<14)
	buf := make([]byte, 64<<10)
	for now := time.Now(); now.Before(deadline); {
		if _, err := conn.Write(l.request); err != nil {
			return nil, err
		}
		if err := readAnswer(conn, buf); err != nil {
			return nil, err
		}
		end := time.Now()
		times = append(times, end.Sub(now))
		now = end
	}
	return times, nil
}

// readAnswer reads one answer with status 200 and a Content-Length.
func readAnswer(conn net.Conn, buf []byte) error {
	for n := 0; ; {
		m, err := conn.Read(buf[n:])
		if err != nil {
			return err
		}
		n += m
		head := bytes.Index(buf[:n], []byte("\r\n\r\n"))
		if head < 0 {
			continue
		}
		_, after, _ := bytes.Cut(buf[:head+2], []byte("\r\nContent-Length: "))
		digits, _, _ := bytes.Cut(after, []byte("\r"))
		length, err := strconv.Atoi(string(digits))
		if err != nil || !bytes.HasPrefix(buf, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("answer is no 200 with a length: %.200q", buf[:n])
		}
		for missing := head + 4 + length - n; missing > 0; {
			m, err := conn.Read(buf[n:])
			if err != nil {
				return err
			}
			n, missing = n+m, missing-m
		}
		return nil
	}
}
