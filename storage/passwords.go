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
// being opened with the old one, and his setup link. Errors: input.ErrInvalid,
// ErrNotFound, *auth.BusyError.
func (s *Store) SetPassword(ctx context.Context, by auth.Principal, id uid.ID, p auth.Password) (User, error) {
	if err := mayChoose(p); err != nil {
		return User{}, err
	}
	err := s.db.View(ctx, func(r kv.Reader) error { // before it costs a hash
		_, err := userOf(r, by.OrgID, id)
		return err
	})
	if err != nil {
		return User{}, err
	}
	hash, err := s.options.Hasher.HashPassword(ctx, composed(p))
	if err != nil {
		return User{}, err
	}
	return changeUser(ctx, s.withdraw, by, id, func(t *tx, u *User) (Action, Detail, error) {
		return userPass, nil, t.setPassword(u, hash)
	})
}

// mayChoose refuses a password that nobody should have: input.ErrInvalid.
func mayChoose(p auth.Password) error {
	if reason := composed(p).Weakness(); reason != "" {
		return input.Invalid("password", reason)
	}
	return nil
}

// setPassword changes u, who is yet to be written, and ends what lets him in without
// the new password.
func (t *tx) setPassword(u *User, hash auth.Hash) error {
	u.Password = hash
	u.endSessions()
	return t.dropSetup(u)
}

// ChangePassword replaces the password of the session's user, who types it once more,
// ends all of his sessions, and opens another where he is; by says where from.
// Errors: ErrSignIn if current is not his password; input.ErrInvalid for next, also if
// it is the same, and for the draft; ErrNotFound if the session is over; *auth.BusyError.
func (s *Store) ChangePassword(ctx context.Context, by auth.Principal, session Session, current, next auth.Password, d SessionDraft) (Session, auth.SessionToken, error) {
	err := errors.Join(d.check(), mayChoose(next))
	if err == nil && composed(next).Reveal() == composed(current).Reveal() {
		err = input.Invalid("password", "must be another one than before")
	}
	if err == nil {
		err = s.proves(ctx, session, current)
	}
	if err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	by.OrgID, by.UserID = session.OrgID, session.UserID
	return s.choosePassword(ctx, by, next, d, func(t *tx) (User, Detail, error) {
		_, user, err := liveSession(t, session.name(), t.now)
		return user, nil, err
	})
}

// ConfirmSession notes that the session's user has typed his password once more.
// Errors: ErrSignIn if it is not his password; ErrNotFound if the session is over;
// *auth.BusyError.
func (s *Store) ConfirmSession(ctx context.Context, by auth.Principal, session Session, p auth.Password) (Session, error) {
	if err := s.proves(ctx, session, p); err != nil {
		return Session{}, err
	}
	by.OrgID, by.UserID = session.OrgID, session.UserID
	var confirmed Session
	err := s.update(ctx, by, func(t *tx) (err error) {
		// A password that was changed meanwhile has ended the session.
		if confirmed, _, err = liveSession(t, session.name(), t.now); err != nil {
			return err
		}
		confirmed.ConfirmedAt = t.now
		return put(t, keySession(session.name()), famSession, recordOfSession(&confirmed))
	})
	if err != nil {
		return Session{}, err
	}
	return confirmed, nil
}

// proves checks a password against that of the session's user. Errors: ErrSignIn,
// ErrNotFound if the session is over, *auth.BusyError.
func (s *Store) proves(ctx context.Context, session Session, p auth.Password) error {
	var user User
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		_, user, err = liveSession(r, session.name(), s.now())
		return err
	})
	if err != nil {
		return err
	}
	ok, err := s.options.Hasher.MatchesPassword(ctx, composed(p), user.Password)
	if err == nil && !ok {
		err = ErrSignIn
	}
	return err
}

// choosePassword gives by's user the password that he has chosen, ends all of his
// sessions, and opens one where he chose it. allow, in the transaction, is the user as
// he is, if he still may.
func (s *Store) choosePassword(ctx context.Context, by auth.Principal, p auth.Password, d SessionDraft, allow func(*tx) (User, Detail, error)) (Session, auth.SessionToken, error) {
	hash, err := s.options.Hasher.HashPassword(ctx, composed(p))
	if err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	token, err := s.mintSession(by)
	if err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	var made Session
	err = s.withdraw(ctx, by, func(t *tx) error {
		user, detail, err := allow(t)
		if err != nil {
			return err
		}
		if err := t.setPassword(&user, hash); err != nil {
			return err
		}
		made = t.session(token, d, user.Epoch)
		return errors.Join(t.putUser(&user, userPass, detail), t.insertSession(&made, &user))
	})
	if err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	return made, token, nil
}

// AnyPassword reports whether any user of the instance has a password. It reads up to
// the first who has.
func (s *Store) AnyPassword(ctx context.Context) (bool, error) {
	found := false
	err := s.db.View(ctx, func(r kv.Reader) error {
		found = false
		return scanWhile(r, inGlobal(famOrg), famOrg, func(key []byte, _ *orgRecord) (bool, error) {
			org, err := idAt(key, globalKeyHead)
			if err != nil {
				return false, err
			}
			err = scanWhile(r, inFamily(org, famUser), famUser, func(_ []byte, rec *userRecord) (bool, error) {
				found = rec.Password != ""
				return !found, nil
			})
			return !found, err
		})
	})
	return found, err
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
