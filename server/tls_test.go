package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"exante/admin/certificate/certtest"
	"exante/server"
)

// secureWorld is a world behind TLS, and what a client must trust.
type secureWorld struct {
	*world
	roots  *x509.CertPool
	client *http.Client
}

func startTLS(t *testing.T, change func(*server.Options)) *secureWorld {
	pair := certtest.New(t, "test", time.Now().Add(time.Hour))
	loaded, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	w := &secureWorld{roots: certtest.Pool(pair)}
	w.world = start(t, func(o *server.Options) {
		o.Certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &loaded, nil }
		if change != nil {
			change(o)
		}
	})
	w.client = w.newClient(nil)
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

func (w *secureWorld) newClient(change func(*tls.Config)) *http.Client {
	c := &tls.Config{RootCAs: w.roots}
	if change != nil {
		change(c)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true}, Timeout: 20 * time.Second}
}

// ask sends a request over TLS and reads the answer to its end.
func (w *secureWorld) ask(c *http.Client, method, path, key, media, body string) (*http.Response, string) {
	w.tb.Helper()
	req, err := http.NewRequest(method, "https://"+w.addr+path, strings.NewReader(body))
	w.must(err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	resp, err := c.Do(req)
	w.must(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	return resp, string(text)
}

// dial shakes hands; the connection is closed at the end of the test.
func (w *secureWorld) dial(change func(*tls.Config)) (*tls.Conn, error) {
	c := &tls.Config{RootCAs: w.roots, ServerName: "localhost"}
	if change != nil {
		change(c)
	}
	conn, err := (&tls.Dialer{Config: c}).Dial("tcp", w.addr)
	if err != nil {
		return nil, err
	}
	w.tb.Cleanup(func() { conn.Close() })
	return conn.(*tls.Conn), nil
}

func TestTLSVersionsAndProtocols(t *testing.T) {
	w := startTLS(t, nil)
	for _, c := range []struct {
		name       string
		change     func(*tls.Config)
		version    uint16 // 0: refused
		negotiated string
	}{
		{"1.3", func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 }, tls.VersionTLS13, ""},
		{"1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, tls.VersionTLS12, ""},
		{"1.1", func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, 0, ""},
		{"h2 offered too", func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }, tls.VersionTLS13, "http/1.1"},
		{"h2 alone", func(c *tls.Config) { c.NextProtos = []string{"h2"} }, 0, ""},
		{"1.2 without authenticated encryption", func(c *tls.Config) {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
		}, 0, ""},
	} {
		conn, err := w.dial(c.change)
		if err != nil {
			if c.version != 0 {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		state := conn.ConnectionState()
		if state.Version != c.version || state.NegotiatedProtocol != c.negotiated {
			t.Errorf("%s: version %x, protocol %q", c.name, state.Version, state.NegotiatedProtocol)
		}
	}
	if resp, body := w.ask(w.client, "GET", "/livez", "", "", ""); resp.Proto != "HTTP/1.1" || body != `{"status":"alive"}` {
		t.Errorf("a client that would speak HTTP/2: %s %s", resp.Proto, body)
	}
}

// Every answer over TLS says that there is TLS, those to what is no request too;
// without TLS none does.
func TestStrictTransportSecurityOnlyWithTLS(t *testing.T) {
	w, plain := startTLS(t, nil), start(t, func(o *server.Options) { o.PublicURL = "https://billing.example.com" })
	for path, status := range map[string]int{"/livez": 200, "/nowhere": 404, "/api/invoices": 401, "/docs": 200} {
		resp, _ := w.ask(w.client, "GET", path, "", "", "")
		if got := resp.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" || resp.StatusCode != status {
			t.Errorf("%s: %d, %q", path, resp.StatusCode, got)
		}
		if r := plain.get(path, ""); r.header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s without TLS has the header", path)
		}
	}
	conn, err := w.dial(nil)
	w.must(err)
	_, err = io.WriteString(conn, "what is this\r\n\r\n")
	w.must(err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.must(err)
	if resp.StatusCode != 400 || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("what is no request: %d %v", resp.StatusCode, resp.Header)
	}
}

func TestConnectionsAreKeptOverTLS(t *testing.T) {
	w := startTLS(t, nil)
	conn, err := w.dial(nil)
	w.must(err)
	answers := bufio.NewReader(conn)
	for range 50 {
		_, err := fmt.Fprintf(conn, "GET /api/api-keys/current HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", w.acme.key)
		w.must(err)
		if status := readResponse(t, answers); status != 200 {
			t.Fatalf("status %d", status)
		}
	}
}

// Links lead where the caller came from, by the way he came.
func TestUploadLinkAndExportOverTLS(t *testing.T) {
	w := startTLS(t, nil)
	_, made := w.ask(w.client, "POST", "/api/parties", w.acme.key, "application/json", `{"name":"Globex"}`)
	var party struct{ Data struct{ UID string } }
	w.must(json.Unmarshal([]byte(made), &party))
	_, made = w.ask(w.client, "POST", "/api/invoices", w.acme.key, "application/json", fmt.Sprintf(`{"target_party_uid":%q}`, party.Data.UID))
	var invoice struct{ Data struct{ UID string } }
	w.must(json.Unmarshal([]byte(made), &invoice))
	content := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB: many records of TLS
	resp, made := w.ask(w.client, "POST", "/api/invoices/"+invoice.Data.UID+"/attachment", w.acme.key, formMedia, formOf(upload{"files", "a.txt", content}))
	var files struct {
		Data []struct {
			URL string `json:"presigned_url"`
		}
	}
	if err := json.Unmarshal([]byte(made), &files); err != nil || resp.StatusCode != 201 || !strings.HasPrefix(files.Data[0].URL, "https://"+w.addr+"/files/") {
		t.Fatalf("%d %s", resp.StatusCode, made)
	}
	if _, got := w.ask(w.client, "GET", strings.TrimPrefix(files.Data[0].URL, "https://"+w.addr), "", "", ""); got != content {
		t.Errorf("the file came back as %d bytes", len(got))
	}
	if resp, got := w.ask(w.client, "GET", "/api/invoices/export", w.acme.key, "", ""); resp.StatusCode != 200 || !strings.Contains(got, invoice.Data.UID) {
		t.Errorf("export: %d %s", resp.StatusCode, got)
	}
}

// A client whose body is too long is still sending when it hears why. That must
// reach it over TLS too, with an end that is ours.
func TestRefusalsAreHeardOverTLS(t *testing.T) {
	w := startTLS(t, nil)
	for range 10 {
		conn, err := w.dial(nil)
		w.must(err)
		_, err = fmt.Fprintf(conn, "POST /api/parties HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", w.acme.key, 8<<20)
		w.must(err)
		go func() { _, _ = conn.Write(bytes.Repeat([]byte("x"), 8<<20)) }() // fails when we are done
		answers := bufio.NewReader(conn)
		if status := readResponse(t, answers); status != 413 {
			t.Errorf("status %d", status)
		}
		if _, err := answers.ReadByte(); err != io.EOF {
			t.Errorf("after the answer: %v, want the end of TLS", err)
		}
	}
}

func TestPlainHTTPOnTheTLSPortIsToldSo(t *testing.T) {
	w := startTLS(t, nil)
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE /api/invoices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.acme.key + "\r\n\r\n"} {
		conn, err := net.Dial("tcp", w.addr)
		w.must(err)
		defer conn.Close()
		_, err = io.WriteString(conn, request)
		w.must(err)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		w.must(err)
		text, err := io.ReadAll(resp.Body)
		w.must(err)
		if resp.StatusCode != 400 || !strings.Contains(string(text), "This port speaks HTTPS") || !resp.Close || resp.Header.Get("Retry-After") != "" {
			t.Errorf("%d %v %s", resp.StatusCode, resp.Header, text)
		}
	}
	for _, garbage := range []string{"\x00\x01\x02\x03\x04\x05", "\x16\x03\x01\xff\xff" + strings.Repeat("\x00", 100), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"} {
		conn, err := net.Dial("tcp", w.addr)
		w.must(err)
		_, err = io.WriteString(conn, garbage)
		w.must(err)
		w.must(conn.SetReadDeadline(time.Now().Add(15 * time.Second)))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			t.Errorf("%q: the connection stays open", garbage)
		}
		conn.Close()
	}
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// Silent and dripping handshakes end within their time and leave; others go on.
func TestSlowHandshakesCostOthersNothing(t *testing.T) {
	w := startTLS(t, func(o *server.Options) { o.ReadTimeout = time.Second })
	var slow sync.WaitGroup
	stop := make(chan struct{})
	for i := range 50 {
		conn, err := net.Dial("tcp", w.addr)
		w.must(err)
		slow.Go(func() {
			defer conn.Close()
			if i%2 == 0 { // a byte now and then, of a record that never ends
				go func() {
					tick := time.NewTicker(50 * time.Millisecond)
					defer tick.Stop()
					_, err := conn.Write([]byte("\x16\x03\x01\x20\x00"))
					for err == nil {
						select {
						case <-stop:
							return
						case <-tick.C:
							_, err = conn.Write([]byte{1})
						}
					}
				}()
			}
			_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second))
			if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
				t.Error("a slow handshake was never ended")
			}
		})
	}
	began := time.Now()
	for range 20 {
		client := w.newClient(nil)
		if resp, _ := w.ask(client, "GET", "/api/api-keys/current", w.acme.key, "", ""); resp.StatusCode != 200 {
			t.Errorf("status %d", resp.StatusCode)
		}
		client.CloseIdleConnections()
	}
	t.Logf("20 new connections beside 50 slow ones took %v", time.Since(began))
	slow.Wait()
	close(stop)
	waitFor(t, "their places to be given back", func() bool { c, _ := w.server.Open(); return c == 0 })
}

// The limits of connections stand in front of TLS.
func TestConnectionsAreLimitedUnderTLS(t *testing.T) {
	w := startTLS(t, func(o *server.Options) { o.MaxConnsPerIP = 2 })
	for range 2 {
		_, err := w.dial(nil)
		w.must(err)
	}
	if _, err := w.dial(nil); err == nil {
		t.Error("the third connection was taken")
	}
	if n := w.server.Traffic().Crowded; n != 1 {
		t.Errorf("%d refused, want 1", n)
	}
}

// What is in flight over TLS is finished, the connection ended in order.
func TestShutdownDrainsOverTLS(t *testing.T) {
	w := startTLS(t, nil)
	conn, err := w.dial(nil)
	w.must(err)
	body := `{"name":"in flight"}`
	_, err = fmt.Fprintf(conn, "POST /api/parties HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\nAuthorization: Bearer %s\r\n\r\n%s",
		len(body), w.acme.key, body[:5])
	w.must(err)
	waitFor(t, "the request to be taken", func() bool { _, n := w.server.Open(); return n == 1 })
	down := make(chan error, 1)
	go func() { down <- w.server.Shutdown(context.Background()) }()
	waitFor(t, "the listener to close", func() bool {
		c, err := net.Dial("tcp", w.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	_, err = io.WriteString(conn, body[5:])
	w.must(err)
	answers := bufio.NewReader(conn)
	if status := readResponse(t, answers); status != 201 {
		t.Errorf("in flight: %d", status)
	}
	if _, err := answers.ReadByte(); err != io.EOF {
		t.Errorf("after the answer: %v, want the end of TLS", err)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
}
