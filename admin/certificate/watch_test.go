package certificate_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"exante/admin/certificate"
	"exante/admin/certificate/certtest"
)

const day = 24 * time.Hour

func files(t *testing.T) certificate.Files {
	dir := t.TempDir()
	return certificate.Files{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
}

func write(t *testing.T, name string, text []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, text, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// Every bad pair is refused at the start, by the name of the file that is wrong.
func TestBadFilesAreNamed(t *testing.T) {
	good, other := certtest.New(t, "a", time.Now().Add(90*day)), certtest.New(t, "b", time.Now().Add(90*day))
	for _, c := range []struct {
		name      string
		cert, key []byte
		mode      os.FileMode
		isKey     bool
		want      string
	}{
		{"no certificate", nil, good.Key, 0o600, false, "no such file"},
		{"empty certificate", []byte{}, good.Key, 0o600, false, "there is no certificate in PEM form in it"},
		{"key for certificate", good.Key, good.Key, 0o600, false, "there is no certificate in PEM form in it"},
		{"cut certificate", good.Cert[:len(good.Cert)/2], good.Key, 0o600, false, "there is no certificate in PEM form in it"},
		{"damaged certificate", []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), good.Key, 0o600, false, "x509: malformed"},
		{"huge certificate", bytes.Repeat([]byte("x"), 2<<20), good.Key, 0o600, false, "more than 1048576 bytes"},
		{"no key", good.Cert, nil, 0o600, true, "no such file"},
		{"empty key", good.Cert, []byte{}, 0o600, true, "it does not fit"},
		{"another's key", good.Cert, other.Key, 0o600, true, "it does not fit"},
		{"cut key", good.Cert, good.Key[:len(good.Key)/2], 0o600, true, "it does not fit"},
		{"key with a password", good.Cert, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), 0o600, true, "protected by a password"},
		{"key for all to read", good.Cert, good.Key, 0o644, true, "others can read or change it (mode 0644): close it with: chmod 600"},
		{"key for the group to write", good.Cert, good.Key, 0o660, true, "others can read or change it (mode 0660)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := files(t)
			if c.cert != nil {
				write(t, f.Cert, c.cert, 0o644)
			}
			if c.key != nil {
				write(t, f.Key, c.key, c.mode)
			}
			_, err := certificate.Open(f, slog.New(slog.DiscardHandler))
			var bad *certificate.Error
			if !errors.As(err, &bad) || bad.IsKey != c.isKey || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("Open = %v, want %q", err, c.want)
			}
			if file := map[bool]string{true: f.Key, false: f.Cert}[c.isKey]; bad.File != file || !strings.HasPrefix(err.Error(), file+": ") {
				t.Errorf("Open = %v, want it to name %s", err, file)
			}
			if bytes.Contains([]byte(err.Error()), good.Key[40:60]) {
				t.Error("the message shows the key")
			}
		})
	}
}

// A pipe in the place of a file is refused, and keeps nobody waiting for a writer.
func TestAPipeIsRefused(t *testing.T) {
	pair := certtest.New(t, "a", time.Now().Add(90*day))
	for _, isKey := range []bool{false, true} {
		f := files(t)
		write(t, f.Cert, pair.Cert, 0o644)
		write(t, f.Key, pair.Key, 0o600)
		pipe := map[bool]string{true: f.Key, false: f.Cert}[isKey]
		if err := errors.Join(os.Remove(pipe), syscall.Mkfifo(pipe, 0o600)); err != nil {
			t.Fatal(err)
		}
		opened := make(chan error, 1)
		go func() {
			_, err := certificate.Open(f, slog.New(slog.DiscardHandler))
			opened <- err
		}()
		select {
		case err := <-opened:
			if err == nil || err.Error() != pipe+": it is not a file" {
				t.Errorf("Open = %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("Open waits for %s", pipe)
		}
	}
}

func TestKeyOfAGroupIsTaken(t *testing.T) {
	f, pair := files(t), certtest.New(t, "a", time.Now().Add(90*day))
	write(t, f.Cert, pair.Cert, 0o644)
	write(t, f.Key, pair.Key, 0o640)
	w, err := certificate.Open(f, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
}

// watched runs in a bubble, where two seconds pass at once.
func watched(t *testing.T, first certtest.Pair, test func(f certificate.Files, w *certificate.Watch, log *buffer)) {
	f := files(t)
	first.Write(t, f.Cert, f.Key)
	synctest.Test(t, func(t *testing.T) {
		var log buffer
		w, err := certificate.Open(f, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		test(f, w, &log)
	})
}

// pass lets some looks at the files happen.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestReplacedFilesAreUsed(t *testing.T) {
	// In a bubble the clock begins in 2000.
	one, two := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2002, 1, 1, 0, 0, 0, 0, time.UTC)
	next := certtest.New(t, "b", two)
	watched(t, certtest.New(t, "a", one), func(f certificate.Files, w *certificate.Watch, log *buffer) {
		if !w.NotAfter().Equal(one) {
			t.Errorf("expires %v, want %v", w.NotAfter(), one)
		}
		next.Write(t, f.Cert, f.Key)
		pass(5 * time.Second)
		if got, _ := w.Get(nil); !w.NotAfter().Equal(two) || !got.Leaf.NotAfter.Equal(two) {
			t.Errorf("expires %v, want %v", w.NotAfter(), two)
		}
		pass(time.Minute)
		if n := strings.Count(log.String(), "a new TLS certificate is in use"); n != 1 || strings.Contains(log.String(), "ERROR") {
			t.Errorf("log = %s", log)
		}
	})
}

// Half of a replacement changes nothing and, if it is completed soon, nobody hears
// of it. One that stays broken is told of once, and may be mended at any time.
func TestBrokenReplacementKeepsTheOldOne(t *testing.T) {
	one, two := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2002, 1, 1, 0, 0, 0, 0, time.UTC)
	next := certtest.New(t, "b", two)
	watched(t, certtest.New(t, "a", one), func(f certificate.Files, w *certificate.Watch, log *buffer) {
		write(t, f.Cert, next.Cert, 0o600) // the key is yet to come
		pass(3 * time.Second)
		if !w.NotAfter().Equal(one) || log.Len() > 0 {
			t.Errorf("half a replacement: expires %v, log %s", w.NotAfter(), log)
		}
		for _, broken := range []func(){
			func() {},
			func() { write(t, f.Cert, next.Cert[:100], 0o600) },
			func() { os.Remove(f.Cert) },
		} {
			log.Reset()
			broken()
			pass(time.Hour)
			if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !w.NotAfter().Equal(one) || !strings.Contains(log.String(), "the old one stays") {
				t.Errorf("expires %v, %d errors in %s", w.NotAfter(), n, log)
			}
		}
		next.Write(t, f.Cert, f.Key)
		pass(5 * time.Second)
		if !w.NotAfter().Equal(two) {
			t.Errorf("mended: expires %v, want %v", w.NotAfter(), two)
		}
	})
}

func TestEndOfACertificateIsWarnedAboutOnceADay(t *testing.T) {
	end := time.Date(2000, 1, 16, 0, 0, 0, 0, time.UTC)
	watched(t, certtest.New(t, "a", end), func(f certificate.Files, w *certificate.Watch, log *buffer) {
		if log.Len() > 0 {
			t.Errorf("15 days before: %s", log)
		}
		pass(time.Until(end) - time.Minute)
		if n := strings.Count(log.String(), "the TLS certificate expires soon"); n != 14 {
			t.Errorf("%d warnings in the last 14 days, want 14: %s", n, log)
		}
		log.Reset()
		pass(3*day + time.Hour)
		if n := strings.Count(log.String(), "the TLS certificate has expired"); n != 3 {
			t.Errorf("%d warnings in 3 days after the end, want 3: %s", n, log)
		}
		if got, err := w.Get(nil); err != nil || got == nil {
			t.Errorf("the expired certificate is not used: %v", err)
		}
	})
}

// buffer collects the log while the test looks at it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *buffer) Len() int { return len(l.String()) }

func (l *buffer) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}
