// Package certtest makes certificates for tests. They sign themselves.
package certtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"testing"
	"time"
)

// Pair is a certificate with its key, in PEM.
type Pair struct{ Cert, Key []byte }

// New makes a certificate for localhost, billing.example.com and 127.0.0.1 that is valid until then.
func New(tb testing.TB, name string, notAfter time.Time) Pair {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-365 * 24 * time.Hour), NotAfter: notAfter,
		DNSNames: []string{"localhost", "billing.example.com"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return Pair{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}
}

// Write puts the pair into two files, each whole from one instant to the next.
func (p Pair) Write(tb testing.TB, cert, key string) {
	tb.Helper()
	for name, text := range map[string][]byte{cert: p.Cert, key: p.Key} {
		if err := os.WriteFile(name+".new", text, 0o600); err != nil {
			tb.Fatal(err)
		}
		if err := os.Rename(name+".new", name); err != nil {
			tb.Fatal(err)
		}
	}
}

// Pool trusts the certificates and nothing else.
func Pool(pairs ...Pair) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, p := range pairs {
		pool.AppendCertsFromPEM(p.Cert)
	}
	return pool
}
