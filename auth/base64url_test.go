package auth_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"exante/auth"
)

// The library's decoder leaves line breaks out: a text as long as a real one, with
// some in it, is shorter than it looks.
func TestTextsWithLineBreaksAreRefused(t *testing.T) {
	key, err := auth.MintSigningKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	session, err := auth.MintSession(auth.SessionName{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	setup, err := auth.MintSetup(auth.SetupName{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	device, err := key.MintDevice("a@b.example", time.Unix(1e9, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	link := key.Sign(auth.Link{Until: time.Unix(2e9, 0)})
	for name, c := range map[string]struct {
		text string
		open func(string) bool
	}{
		"session": {session.Reveal(), func(s string) bool { _, ok := auth.ParseSession(s); return ok }},
		"setup":   {setup.Reveal(), func(s string) bool { _, ok := auth.ParseSetup(s); return ok }},
		"device":  {device, func(s string) bool { _, ok := key.OpenDevice(s, "a@b.example", time.Unix(1e9, 0)); return ok }},
		"link":    {link, func(s string) bool { _, ok := key.Open(s, time.Unix(1e9, 0)); return ok }},
	} {
		if !c.open(c.text) {
			t.Errorf("a real %s is refused", name)
		}
		for _, breaks := range []int{4, 8, 64} {
			if end := len(c.text) - breaks; c.open(c.text[:end] + strings.Repeat("\r", breaks)) {
				t.Errorf("a %s with %d line breaks is taken", name, breaks)
			}
		}
	}
}
