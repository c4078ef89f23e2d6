package auth_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

var linkTime = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func mintSigningKey(tb testing.TB) auth.SigningKey {
	tb.Helper()
	k, err := auth.MintSigningKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func TestLinkOpensUntilItsEnd(t *testing.T) {
	k := mintSigningKey(t)
	link := auth.Link{OrgID: uid.ID{1}, InvoiceID: uid.ID{2}, AttachmentID: uid.ID{3}, Until: linkTime}
	text := k.Sign(link)
	if got, ok := k.Open(text, linkTime.Add(-time.Nanosecond)); !ok || got != link {
		t.Errorf("Open = %+v, %v, want %+v", got, ok, link)
	}
	for _, now := range []time.Time{linkTime, linkTime.Add(time.Hour)} {
		if _, ok := k.Open(text, now); ok {
			t.Errorf("at %s it still opens", now)
		}
	}
	if strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("%q needs escaping in a URL", text)
	}
}

func TestEveryChangeOfALinkBreaksIt(t *testing.T) {
	k := mintSigningKey(t)
	text := k.Sign(auth.Link{OrgID: uid.ID{1}, InvoiceID: uid.ID{2}, AttachmentID: uid.ID{3}, Until: linkTime})
	before := linkTime.Add(-time.Hour)
	for i := range text {
		for _, c := range "A_9z" {
			if changed := text[:i] + string(c) + text[i+1:]; changed != text {
				if _, ok := k.Open(changed, before); ok {
					t.Fatalf("with %c at %d it opens", c, i)
				}
			}
		}
	}
	for _, bad := range []string{"", text[1:], text[:len(text)-1], text + "A", text + "=", text + "\n", strings.Repeat("*", len(text))} {
		if _, ok := k.Open(bad, before); ok {
			t.Errorf("%q opens", bad)
		}
	}
	if _, ok := mintSigningKey(t).Open(text, before); ok {
		t.Error("another key opens it")
	}
	if _, ok := (auth.SigningKey{}).Open(text, before); ok || (auth.SigningKey{}).Sign(auth.Link{}) != "" {
		t.Error("no key is a key")
	}
}

func TestSigningKeyNeverPrints(t *testing.T) {
	secret := [auth.SigningKeySize]byte{}
	copy(secret[:], "this is the secret of the links.")
	k := auth.NewSigningKey(secret)
	if k.Reveal() != secret {
		t.Error("Reveal does not")
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", k, "in", struct{ K auth.SigningKey }{k})
	text, err := json.Marshal(struct{ K auth.SigningKey }{k})
	for _, printed := range []string{fmt.Sprint(k), fmt.Sprintf("%v %+v %#v %x %s %q %d", k, k, k, k, k, k, k),
		fmt.Sprintf("%+v", struct{ k auth.SigningKey }{k}), string(text), log.String()} {
		if strings.Contains(printed, "secret of") || strings.Contains(printed, fmt.Sprintf("%x", secret[:4])) || err != nil {
			t.Errorf("prints %s, %v", printed, err)
		}
	}
	if _, err := auth.MintSigningKey(strings.NewReader("short")); err == nil {
		t.Error("a key was made of too little randomness")
	}
}
