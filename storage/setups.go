package storage

import (
	"context"
	"errors"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// A setup link lets a user choose his password once, whether he has had one or not. It
// stands in for the password, so it is short-lived, and there is one of a user: a new
// one replaces the older, and a password that is set, or the disabling of the user,
// ends it.

// SetupTime is how long a setup link is valid.
const SetupTime = 15 * time.Minute

// MintSetup makes a setup link for a user of by's organization, in place of the one
// that he has. It returns when it ends. Errors: ErrNotFound, ErrUserDisabled, and those
// of Once.
func (s *Store) MintSetup(ctx context.Context, by auth.Principal, user uid.ID, once ...*Once[auth.SetupName]) (auth.SetupToken, time.Time, error) {
	var token auth.SetupToken
	var name auth.SetupName // all of it that Once may keep
	var ends time.Time
	err := s.update(ctx, by, only(once).around(&name, func(t *tx) (err error) {
		if err := enabled(t, by.OrgID, user); err != nil {
			return err
		}
		token, ends, err = t.putSetup(user)
		name = token.Name()
		return err
	}))
	if err != nil {
		return auth.SetupToken{}, time.Time{}, err
	}
	return token, ends, nil
}

// InviteUser is CreateUser and MintSetup at once: there is no user without his link.
// Errors: those of CreateUser.
func (s *Store) InviteUser(ctx context.Context, by auth.Principal, d UserDraft) (User, auth.SetupToken, time.Time, error) {
	user, err := d.user()
	if err != nil {
		return User{}, auth.SetupToken{}, time.Time{}, err
	}
	var token auth.SetupToken
	var ends time.Time
	err = s.update(ctx, by, func(t *tx) (err error) {
		if user, err = t.insertUser(user, "email"); err != nil {
			return err
		}
		token, ends, err = t.putSetup(user.ID)
		return err
	})
	if err != nil {
		return User{}, auth.SetupToken{}, time.Time{}, err
	}
	return user, token, ends, nil
}

// putSetup writes a new link of a user of the organization that is acted in.
func (t *tx) putSetup(user uid.ID) (auth.SetupToken, time.Time, error) {
	id, err := t.store.ids.New()
	if err != nil {
		return auth.SetupToken{}, time.Time{}, err
	}
	token, err := auth.MintSetup(auth.SetupName{OrgID: t.by.OrgID, UserID: user, ID: id}, t.store.options.Rand)
	if err != nil {
		return auth.SetupToken{}, time.Time{}, err
	}
	ends := t.now.Add(SetupTime)
	rec := &setupRecord{ID: id, Digest: token.Digest(), CreatedAt: stampOf(t.now), EndsAt: stampOf(ends)}
	return token, ends, errors.Join(
		put(t, keySetup(t.by.OrgID, user), famSetup, rec),
		t.audit(userSetup, user, Detail{"setup": id.String(), "ends_at": ends.Format(time.RFC3339)}),
	)
}

// dropSetup ends the link that u has, if he has one.
func (t *tx) dropSetup(u *User) error { return t.Delete(keySetup(u.OrgID, u.ID)) }

// Setup is whose link it is. To ask does not use it up. Errors: ErrNotFound if it was
// used or replaced, is over, or is of a disabled user.
func (s *Store) Setup(ctx context.Context, token auth.SetupToken) (User, Organization, error) {
	var user User
	var org Organization
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		if user, err = liveSetup(r, token, s.now()); err != nil {
			return err
		}
		org, err = orgOf(r, user.OrgID)
		return missing(err, "organization", keyOrg(user.OrgID))
	})
	if err != nil {
		return User{}, Organization{}, err
	}
	return user, org, nil
}

// liveSetup is the user of a link that can be used; ErrNotFound.
func liveSetup(r kv.Reader, token auth.SetupToken, now time.Time) (User, error) {
	n := token.Name()
	var rec setupRecord
	if err := get(r, keySetup(n.OrgID, n.UserID), famSetup, &rec); err != nil {
		return User{}, err
	}
	if !rec.Digest.Matches(token) || rec.over(now) {
		return User{}, ErrNotFound
	}
	user, err := userOf(r, n.OrgID, n.UserID)
	if err != nil {
		return User{}, missing(err, "user", keyUser(n.OrgID, n.UserID))
	}
	if !user.DisabledAt.IsZero() {
		return User{}, ErrNotFound
	}
	return user, nil
}

// RedeemSetup uses a link up: it gives its user the password that he has chosen, ends
// all of his sessions, and opens one where he is; by says where from. A password that
// is refused leaves the link as it is. Errors: ErrNotFound as those of Setup, also for
// all but one of those who use it at once; input.ErrInvalid for the password and the
// draft; *auth.BusyError.
func (s *Store) RedeemSetup(ctx context.Context, by auth.Principal, token auth.SetupToken, p auth.Password, d SessionDraft) (Session, auth.SessionToken, error) {
	_, _, err := s.Setup(ctx, token) // before it costs a hash
	if err == nil {
		err = errors.Join(d.check(), mayChoose(p))
	}
	if err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	by.OrgID, by.UserID = token.Name().OrgID, token.Name().UserID
	return s.choosePassword(ctx, by, p, d, func(t *tx) (User, Detail, error) {
		user, err := liveSetup(t, token, t.now)
		return user, Detail{"setup": token.Name().ID.String()}, err
	})
}

// setupRecord is a setup link on disk; whose it is is in its key.
type setupRecord struct {
	ID        uid.ID           `cbor:"1,keyasint"`
	Digest    auth.SetupDigest `cbor:"2,keyasint"`
	CreatedAt stamp            `cbor:"3,keyasint"`
	EndsAt    stamp            `cbor:"4,keyasint"`
}

func (r *setupRecord) over(now time.Time) bool { return !now.Before(r.EndsAt.time()) }

// sweepSetups deletes the links that are over.
func (s *Store) sweepSetups(ctx context.Context) error {
	var over [][]byte
	err := s.db.View(ctx, func(r kv.Reader) error {
		over = nil
		return scan(r, inGlobal(famSetup), famSetup, func(key []byte, rec *setupRecord) error {
			if rec.over(s.now()) {
				over = append(over, append([]byte(nil), key...))
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return s.sweepEach(ctx, over, (*tx).sweepSetup)
}

// sweepSetup deletes a link unless it has been replaced since it was seen to be over.
func (t *tx) sweepSetup(key []byte) error {
	var rec setupRecord
	err := get(t, key, famSetup, &rec)
	if errors.Is(err, ErrNotFound) || err == nil && !rec.over(t.now) {
		return nil
	}
	return errors.Join(err, t.Delete(key))
}
