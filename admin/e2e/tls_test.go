package e2e

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"exante/admin/certificate/certtest"
)

// pemFiles are a certificate and a key in a directory of their own.
func pemFiles(t *testing.T, p certtest.Pair) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	p.Write(t, cert, key)
	return cert, key
}

// trust has call accept the certificates, and no other ones, from then on.
func trust(t *testing.T, pairs ...certtest.Pair) {
	t.Helper()
	before := client
	client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: certtest.Pool(pairs...)}, MaxIdleConnsPerHost: 128,
	}}
	t.Cleanup(func() { client.CloseIdleConnections(); client = before })
}

// serveTLS is serve with a certificate, and call over TLS from then on.
func serveTLS(t *testing.T, dir, cert, key string, trusted []certtest.Pair, args ...string) *server {
	t.Helper()
	trust(t, trusted...)
	return serve(t, dir, append([]string{"--server-tls-cert", cert, "--server-tls-key", key}, args...)...)
}

// serial is the certificate that a new connection is shown.
func serial(t *testing.T, s *server) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{RootCAs: client.Transport.(*http.Transport).TLSClientConfig.RootCAs})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// Certificates are replaced, well and badly, under load: no request fails, whether
// on a connection that was kept or on a new one.
func TestCertificateIsReplacedUnderLoad(t *testing.T) {
	one, two := certtest.New(t, "one", time.Now().Add(90*24*time.Hour)), certtest.New(t, "two", time.Now().Add(90*24*time.Hour))
	cert, key := pemFiles(t, one)
	dir := dataDir(t)
	k := shellKey(t, dir, "--name", "n", "--rate-limit", "1000000/1m")
	s := serveTLS(t, dir, cert, key, []certtest.Pair{one, two})
	first := serial(t, s)

	var requests, failed atomic.Int64
	stop := make(chan struct{})
	var load sync.WaitGroup
	for i := range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				a, err := s.try("GET", "/api/api-keys/current", k.Key, "")
				requests.Add(1)
				if err != nil || a.status != 200 {
					failed.Add(1)
					t.Errorf("request: %d, %v", a.status, err)
					return
				}
				if i%2 == 0 {
					client.CloseIdleConnections()
				}
			}
		})
	}
	two.Write(t, cert, key)
	s.waitFor("the second certificate", func() bool { return serial(t, s) != first })
	second := serial(t, s)
	if err := os.WriteFile(cert, one.Cert[:200], 0o600); err != nil {
		t.Fatal(err)
	}
	s.waitFor("the broken one to be told of", func() bool {
		return strings.Contains(s.output.String(), "the new TLS certificate can't be used; the old one stays")
	})
	if serial(t, s) != second {
		t.Error("a broken file replaced the certificate")
	}
	one.Write(t, cert, key)
	s.waitFor("the first certificate again", func() bool { return serial(t, s) == first })
	close(stop)
	load.Wait()
	t.Logf("%d requests, %d failed", requests.Load(), failed.Load())
	s.stop()
}

// A certificate that has expired is served: its clients say so, and the log, the
// status and the metrics do.
func TestExpiredCertificateIsServedAndWarnedAbout(t *testing.T) {
	expired := certtest.New(t, "old", time.Now().Add(-time.Hour))
	cert, key := pemFiles(t, expired)
	dir := dataDir(t)
	before := client
	client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: certtest.Pool(expired), Time: func() time.Time { return time.Now().Add(-2 * time.Hour) }, // when it was good
	}}}
	t.Cleanup(func() { client.CloseIdleConnections(); client = before })
	s := serve(t, dir, "--server-tls-cert", cert, "--server-tls-key", key)
	s.call("GET", "/livez", "", "").want(t, 200)
	if !strings.Contains(s.output.String(), "the TLS certificate has expired: clients refuse it") {
		t.Errorf("log = %s", s.output)
	}
	if status := mustShell(t, "status", "--data-dir", dir); !strings.HasPrefix(status, "attention:\n  the TLS certificate has expired") {
		t.Errorf("status = %s", status)
	}
	mustShell(t, "healthcheck", "--data-dir", dir)
}

// With TLS a port that others reach is nothing to warn about.
func TestOpenListenerWithTLSIsNotWarnedAbout(t *testing.T) {
	pair := certtest.New(t, "n", time.Now().Add(90*24*time.Hour))
	cert, key := pemFiles(t, pair)
	s := serveTLS(t, dataDir(t), cert, key, []certtest.Pair{pair}, "--metrics-listen", "127.0.0.1:0")
	if !strings.HasPrefix(s.url, "https://") || strings.Contains(s.output.String(), "in clear") {
		t.Errorf("printed %s", s.output)
	}
	if a := s.call("GET", "/livez", "", ""); a.header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("headers = %v", a.header)
	}
}

// Bad files are bad settings: exit code 2, with the key and the file.
func TestBadTLSFilesAreBadSettings(t *testing.T) {
	good, other := certtest.New(t, "a", time.Now().Add(time.Hour)), certtest.New(t, "b", time.Now().Add(time.Hour))
	cert, key := pemFiles(t, good)
	_, otherKey := pemFiles(t, other)
	open := filepath.Join(t.TempDir(), "open.pem")
	if err := os.WriteFile(open, good.Key, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ cert, key, want string }{
		{cert, "", "server.tls_key: is needed with server.tls_cert: both or none"},
		{cert + ".absent", key, "server.tls_cert: " + cert + ".absent: no such file or directory"},
		{key, key, "server.tls_cert: " + key + ": there is no certificate in PEM form in it"},
		{cert, otherKey, "server.tls_key: " + otherKey + ": it does not fit " + cert},
		{cert, open, "server.tls_key: " + open + ": others can read or change it"},
	} {
		r := shell(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir(t), "--server-tls-cert", c.cert, "--server-tls-key", c.key)
		if r.code != 2 || !strings.Contains(r.stderr, c.want) {
			t.Errorf("exit %d, %s\nwant %s", r.code, r.stderr, c.want)
		}
	}
}
