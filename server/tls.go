package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

const handshakeTime = 10 * time.Second

// tlsConfig is how TLS is spoken here: 1.3, or 1.2 with forward secrecy and
// authenticated encryption, and HTTP/1.1 only.
func tlsConfig(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"http/1.1"},
		GetCertificate: certificate,
		CipherSuites: []uint16{ // of 1.2; those of 1.3 are not a matter of choice
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305,
		},
	}
}

// secured is the server's end of TLS on a connection. Whoever reads first shakes
// hands, so that a slow client holds nobody up but itself.
type secured struct {
	*tls.Conn
	server *Server
	outer  *conn
	ready  bool // hands were shaken; of the reading goroutine alone
}

func (c *secured) Read(p []byte) (int, error) {
	if !c.ready {
		if err := c.shakeHands(); err != nil {
			return 0, io.EOF // there is nobody to tell, or he was told
		}
		c.ready = true
	}
	return c.Conn.Read(p)
}

// shakeHands gives up after handshakeTime. Who speaks HTTP without TLS is told.
func (c *secured) shakeHands() error {
	ctx, cancel := context.WithTimeout(c.server.life, handshakeTime)
	defer cancel()
	err := c.HandshakeContext(ctx)
	var first tls.RecordHeaderError
	if errors.As(err, &first) && first.Conn != nil && startsRequest(first.RecordHeader[:]) {
		_ = first.Conn.SetWriteDeadline(time.Now().Add(refuseWrite))
		_, _ = first.Conn.Write(c.server.rawAnswer(errPlain))
		c.outer.unread.Store(true)
	}
	return err
}

// startsRequest reports whether b is how a request line begins, and no record of TLS.
func startsRequest(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '/' && (c < 'A' || 'Z' < c) {
			return false
		}
	}
	return true
}

// overTLS is conn with TLS on it.
func (s *Server) overTLS(c net.Conn, outer *conn) *secured {
	return &secured{Conn: tls.Server(c, s.tls), server: s, outer: outer}
}
