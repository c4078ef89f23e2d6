package server

import (
	"bytes"
	"testing"
)

// From the instant at which a server says that it drains, every answer ends its
// connection: a client must not send the next request down one that is closing.
func TestEveryAnswerWhileDrainingEndsItsConnection(t *testing.T) {
	s := newServer(t, &bytes.Buffer{})
	for _, path := range []string{"/readyz", "/livez", "/api/invoices", "/nowhere"} {
		if ask(s, "GET", path).ConnectionClose() {
			t.Errorf("%s ends the connection of a server that serves", path)
		}
	}
	s.draining.Store(true)
	for _, path := range []string{"/readyz", "/livez", "/api/invoices", "/nowhere"} {
		if !ask(s, "GET", path).ConnectionClose() {
			t.Errorf("%s keeps the connection of a draining server", path)
		}
	}
}
