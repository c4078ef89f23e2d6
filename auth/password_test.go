package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"exante/auth"
)

func TestPasswordsThatMayBeChosen(t *testing.T) {
	const length, tried = "must have 8 to 256 characters", "is one that everybody tries first: choose another"
	for text, want := range map[string]string{
		"":                                     length,
		"seven77":                              length,
		"eight-88":                             "",
		"kiełbasa":                             "",
		"        ":                             "",
		strings.Repeat("ż", 256):               "",
		strings.Repeat("x", 257):               length,
		strings.Repeat("x", 1<<20):             length,
		"password":                             tried,
		"PassWord":                             tried,
		"12345678":                             tried,
		"QWERTYUIOP":                           tried,
		"Summer2026":                           tried,
		"password12345678901":                  "",
		"correct horse battery staple":         "",
		"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7": "is not valid UTF-8",
	} {
		if got := auth.NewPassword(text).Weakness(); got != want {
			t.Errorf("Weakness of %.20q = %q, want %q", text, got, want)
		}
	}
}

func TestListOfCommonPasswordsIsInOrder(t *testing.T) {
	text, err := os.ReadFile("common.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(list) < 500 || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("%d passwords, sorted %t", len(list), slices.IsSorted(list))
	}
	for _, p := range list {
		if n := utf8.RuneCountInString(p); n < 8 || p != strings.ToLower(p) || strings.ContainsAny(p, " \r\t") {
			t.Errorf("%q is too short, not in lower case, or no password", p)
		}
		if auth.NewPassword(p).Weakness() == "" {
			t.Errorf("%q may be chosen", p)
		}
	}
}

func TestPasswordMatchesItsHashAlone(t *testing.T) {
	h := passwordHasher(t)
	hash, err := h.HashPassword(t.Context(), auth.NewPassword("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := auth.ParseHash(hash.PHC())
	if err != nil {
		t.Fatal(err)
	}
	long := auth.NewPassword(strings.Repeat("x", 1<<20))
	for _, c := range []struct {
		name string
		p    auth.Password
		hash auth.Hash
		want bool
	}{
		{"right", auth.NewPassword("correct horse"), stored, true},
		{"wrong", auth.NewPassword("correct Horse"), stored, false},
		{"empty", auth.Password{}, stored, false},
		{"of nobody", auth.NewPassword("correct horse"), auth.Hash{}, false},
		{"too long", long, stored, false},
		{"too long, of nobody", long, auth.Hash{}, false},
		{"no text", auth.NewPassword(strings.Repeat("\xff", 10)), stored, false},
	} {
		before := h.Runs()
		if got, err := h.MatchesPassword(t.Context(), c.p, c.hash); err != nil || got != c.want {
			t.Errorf("%s: %t, %v", c.name, got, err)
		}
		if n := h.Runs() - before; n != 1 {
			t.Errorf("%s: argon2id ran %d times, want once whatever is asked", c.name, n)
		}
	}
	if other, err := h.HashPassword(t.Context(), auth.NewPassword("correct horse")); err != nil || other.PHC() == hash.PHC() {
		t.Errorf("two hashes of one password are the same (%v)", err)
	}
}

func passwordHasher(t *testing.T) *auth.Hasher {
	t.Helper()
	h, err := auth.NewHasher(auth.HasherOptions{Params: cheap, Slots: 1, Queue: 1, MaxWait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Sign-in has no gate of its own: a flood of it can't take more memory than keys do.
func TestPasswordsGoThroughTheGate(t *testing.T) {
	h, err := auth.NewHasher(auth.HasherOptions{Params: auth.Params{MemoryKiB: 64 << 10, Iterations: 10, Parallelism: 1}, Slots: 1, Queue: 1, MaxWait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	busy := make(chan error, 8)
	for range cap(busy) {
		go func() {
			_, err := h.MatchesPassword(context.Background(), auth.NewPassword("x"), auth.Hash{})
			busy <- err
		}()
	}
	refused := 0
	for range cap(busy) {
		if err := <-busy; errors.Is(err, auth.ErrBusy) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused == 0 {
		t.Error("eight at once, and none was refused at a gate for one")
	}
}

func TestPasswordsSessionsAndLinksNeverPrint(t *testing.T) {
	p := auth.NewPassword("correct horse battery")
	s, err := auth.MintSession(auth.SessionName{OrgID: newID(t), UserID: newID(t), ID: newID(t)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := auth.MintSetup(auth.SetupName{OrgID: newID(t), UserID: newID(t), ID: newID(t)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	held := struct {
		P auth.Password
		S auth.SessionToken
		L auth.SetupToken
		p auth.Password
		s auth.SessionToken
		l auth.SetupToken
	}{p, s, l, p, s, l}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, held)
		fmt.Fprintf(&out, verb, &held)
		fmt.Fprintf(&out, verb, p)
		fmt.Fprintf(&out, verb, s)
		fmt.Fprintf(&out, verb, l)
	}
	text, err := json.Marshal(held)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "p", p, "s", s, "l", l, "held", held)
	session, link := s.Reveal(), l.Reveal()
	for _, leak := range []string{"correct", "636f7272656374", session, session[64:], link, link[73:]} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%q is in %s", leak, out.String())
		}
	}
}
