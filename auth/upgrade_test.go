package auth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"exante/auth"
	"exante/auth/uid"
)

// raised is a process whose configuration asks for more than the stored hash.
func raised(t *testing.T, out *bytes.Buffer) (*process, *auth.Hasher) {
	t.Helper()
	today := newHasher(t, auth.Params{MemoryKiB: 128, Iterations: 2, Parallelism: 1})
	p := start(t, newClock(noon), newBooks(), nil, func(o *auth.AuthenticatorOptions) {
		o.Hasher = today
		if out != nil {
			o.Log = slog.New(slog.NewTextHandler(out, nil))
		}
	})
	p.hasher = newHasher(t, cheap) // of yesterday: makes the keys
	return p, today
}

func TestWeakHashIsUpgradedOnItsNextUse(t *testing.T) {
	p, today := raised(t, nil)
	p.pen.upgrade = func(id uid.ID, version uint64, h auth.Hash) error {
		k, _ := p.ring.Get(id)
		changed := *k
		changed.Hash, changed.Version = h, version+1
		p.ring.Put(changed)
		return nil
	}
	k, r := p.key(t, nil)
	p.admit(t, r)
	eventually(t, "the upgrade", func() bool { now, _ := p.ring.Get(k.ID); return now.Version == 2 })
	now, _ := p.ring.Get(k.ID)
	if !strings.HasPrefix(now.Hash.PHC(), "$argon2id$v=19$m=128,t=2,p=1$") || today.Outdated(now.Hash) {
		t.Errorf("upgraded to %.28s", now.Hash.PHC())
	}
	p.admit(t, r)
	runs := today.Runs()
	for range 10 {
		p.admit(t, r)
	}
	if today.Runs() != runs {
		t.Errorf("%d argon2id runs for a key that has been upgraded", today.Runs()-runs)
	}
}

func TestOnlyUsableKeysAreUpgraded(t *testing.T) {
	p, today := raised(t, nil)
	p.pen.upgrade = func(uid.ID, uint64, auth.Hash) error { t.Error("upgraded"); return nil }
	_, expired := p.key(t, func(k *auth.Key) { k.ExpiresAt = noon })
	_, revoked := p.key(t, func(k *auth.Key) { k.RevokedAt = noon })
	p.refuse(t, expired, auth.ErrExpired)
	p.refuse(t, revoked, auth.ErrRevoked)
	p.stop(t)
	if today.Runs() != 2 {
		t.Errorf("%d argon2id runs, want 2", today.Runs())
	}
}

// An upgrade that fails is logged without a secret, and the key goes on.
func TestFailedUpgradeIsTold(t *testing.T) {
	var out bytes.Buffer
	p, _ := raised(t, &out)
	tried := make(chan struct{})
	p.pen.upgrade = func(uid.ID, uint64, auth.Hash) error { close(tried); return errors.New("record has changed") }
	k, r := p.key(t, nil)
	p.admit(t, r)
	<-tried
	p.admit(t, r)
	p.stop(t)
	log := out.String()
	if !strings.Contains(log, "was not upgraded") || !strings.Contains(log, "record has changed") || !strings.Contains(log, k.ID.String()) {
		t.Errorf("logged: %s", log)
	}
	if strings.Contains(log, string(r.Token[8:])) || strings.Contains(log, "argon2id$") {
		t.Errorf("a secret is in the log: %s", log)
	}
	if _, err := p.Admit(context.Background(), r); errors.Is(err, auth.ErrBadToken) {
		t.Errorf("Admit = %v after a failed upgrade", err)
	}
}
