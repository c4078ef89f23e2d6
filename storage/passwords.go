package storage

import (
	"context"
	"errors"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
	"exante/storage/kv"
)

// SetPassword gives a user a password and ends his sessions, also those that are
// being opened with the old one. Errors: input.ErrInvalid, ErrNotFound,
// *auth.BusyError.
func (s *Store) SetPassword(ctx context.Context, by auth.Principal, id uid.ID, p auth.Password) (User, error) {
	p = composed(p)
	if reason := p.Weakness(); reason != "" {
		return User{}, input.Invalid("password", reason)
	}
	err := s.db.View(ctx, func(r kv.Reader) error { // before it costs a hash
		_, err := userOf(r, by.OrgID, id)
		return err
	})
	if err != nil {
		return User{}, err
	}
	hash, err := s.options.Hasher.HashPassword(ctx, p)
	if err != nil {
		return User{}, err
	}
	return changeUser(ctx, s.withdraw, by, id, func(_ *tx, u *User) (Action, Detail, error) {
		u.Password = hash
		u.endSessions()
		return userPass, nil, nil
	})
}

// checkPassword is the user with that address and password, if he may sign in. What
// is wrong nobody learns, by the answer or by the time it takes: ErrSignIn.
func (s *Store) checkPassword(ctx context.Context, email string, p auth.Password) (User, error) {
	var user User
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		user, err = userAt(r, email)
		return err
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return User{}, err
	}
	ok, err := s.options.Hasher.MatchesPassword(ctx, composed(p), user.Password)
	if err != nil {
		return User{}, err
	}
	if !ok || !user.DisabledAt.IsZero() {
		return User{}, ErrSignIn
	}
	return user, nil
}

// betterHash is a hash of today's strength for a password that has just matched a
// weaker one, the only moment at which it can be made; zero if none is needed. When
// the gate is full it is left for the next time.
func (s *Store) betterHash(ctx context.Context, u *User, p auth.Password) auth.Hash {
	if !s.options.Hasher.Outdated(u.Password) {
		return auth.Hash{}
	}
	hash, err := s.options.Hasher.HashPassword(ctx, composed(p))
	if err != nil {
		return auth.Hash{}
	}
	return hash
}

// maxTyped bounds the work of composing what a stranger sends, in bytes: more than
// the longest password has, decomposed.
const maxTyped = 8 << 10

// composed is a password as it is hashed. One that is too long for any stays as it
// is, and is refused for its length.
func composed(p auth.Password) auth.Password {
	if len(p.Reveal()) > maxTyped {
		return p
	}
	return auth.NewPassword(input.NFC(p.Reveal()))
}
