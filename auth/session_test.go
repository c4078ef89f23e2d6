package auth_test

import (
	"bytes"
	"testing"

	"exante/auth"
)

func TestSessionTokenComesBack(t *testing.T) {
	name := auth.SessionName{OrgID: newID(t), UserID: newID(t), ID: newID(t)}
	one, err := auth.MintSession(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, ok := auth.ParseSession(one.Reveal())
	if !ok || back.Name() != name || !one.Digest().Matches(back) || back.Digest() != one.Digest() {
		t.Errorf("the token comes back as another one (%t)", ok)
	}
	two, err := auth.MintSession(name, nil)
	if err != nil || one.Digest().Matches(two) || one.Reveal() == two.Reveal() {
		t.Errorf("two sessions have one secret (%v)", err)
	}
	if (auth.SessionToken{}).Digest().Matches(auth.SessionToken{}) || (auth.SessionToken{}).Reveal() != "" {
		t.Error("the zero token opens something")
	}
	if _, err := auth.MintSession(name, bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("a token was made from too little randomness")
	}
}

// A secret belongs to one name: it opens no other session.
func TestSessionSecretIsOfOneSession(t *testing.T) {
	token := func(name auth.SessionName) auth.SessionToken {
		s, err := auth.MintSession(name, bytes.NewReader(bytes.Repeat([]byte{7}, 32)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	name := auth.SessionName{OrgID: newID(t), UserID: newID(t), ID: newID(t)}
	other := name
	other.ID = newID(t)
	if token(name).Digest().Matches(token(other)) {
		t.Error("the secret of one session opens another")
	}
}

func FuzzParseSession(f *testing.F) {
	s, err := auth.MintSession(auth.SessionName{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Reveal())
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if s, ok := auth.ParseSession(text); ok && s.Reveal() != text {
			t.Errorf("%q is read as %q", text, s.Reveal())
		}
	})
}
