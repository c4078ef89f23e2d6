package auth_test

import (
	"bytes"
	"strings"
	"testing"

	"exante/auth"
)

func TestSetupTokenComesBack(t *testing.T) {
	name := auth.SetupName{OrgID: newID(t), UserID: newID(t), ID: newID(t)}
	one, err := auth.MintSetup(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, ok := auth.ParseSetup(one.Reveal())
	if !ok || back.Name() != name || !one.Digest().Matches(back) || back.Digest() != one.Digest() {
		t.Errorf("the token comes back as another one (%t)", ok)
	}
	two, err := auth.MintSetup(name, nil)
	if err != nil || one.Digest().Matches(two) || one.Reveal() == two.Reveal() {
		t.Errorf("two links have one secret (%v)", err)
	}
	if (auth.SetupToken{}).Digest().Matches(auth.SetupToken{}) || (auth.SetupToken{}).Reveal() != "" {
		t.Error("the zero token opens something")
	}
	if _, err := auth.MintSetup(name, bytes.NewReader(make([]byte, 31))); err == nil || !strings.Contains(err.Error(), "setup link") {
		t.Errorf("a token was made from too little randomness (%v)", err)
	}
}

// The same name and the same secret are not the same token: what signs somebody in
// sets no password, and the reverse.
func TestSetupTokenIsNoSessionToken(t *testing.T) {
	secret := func() *bytes.Reader { return bytes.NewReader(bytes.Repeat([]byte{7}, 32)) }
	name := auth.SetupName{OrgID: newID(t), UserID: newID(t), ID: newID(t)}
	setup, err := auth.MintSetup(name, secret())
	if err != nil {
		t.Fatal(err)
	}
	session, err := auth.MintSession(auth.SessionName(name), secret())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := auth.ParseSession(setup.Reveal()); ok {
		t.Error("a setup token is read as a session token")
	}
	if _, ok := auth.ParseSetup(session.Reveal()); ok {
		t.Error("a session token is read as a setup token")
	}
	if [32]byte(setup.Digest()) == [32]byte(session.Digest()) {
		t.Error("both are kept as the same digest")
	}
}

// Of a link the text stands in a path.
func TestSetupTokenNeedsNoEscape(t *testing.T) {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for range 100 {
		token, err := auth.MintSetup(auth.SetupName{OrgID: newID(t)}, nil)
		if err != nil || strings.Trim(token.Reveal(), plain) != "" {
			t.Fatalf("the text has characters that are escaped in a URL (%v)", err)
		}
	}
}

func FuzzParseSetup(f *testing.F) {
	s, err := auth.MintSetup(auth.SetupName{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(s.Reveal())
	f.Add(s.Reveal()[9:])
	f.Add("ex_setup_")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if s, ok := auth.ParseSetup(text); ok && s.Reveal() != text {
			t.Errorf("%q is read as %q", text, s.Reveal())
		}
	})
}
