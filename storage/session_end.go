package storage

import (
	"context"
	"errors"
	"slices"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/kv"
)

// Which sessions there are, and how they end. All of a user's end at once by the
// epoch of his record; what is left of those that are over, the sweeper deletes.

// Sessions are those of an organization that are not over, by user and creation;
// a user that is not zero leaves only his. Errors: ErrNotFound if there is no such organization.
func (s *Store) Sessions(ctx context.Context, org, user uid.ID) ([]Session, error) {
	var live []Session
	err := s.db.View(ctx, func(r kv.Reader) error {
		users, err := usersOrOne(r, org, user)
		if err != nil {
			return err
		}
		in := inGlobal(famSession, org[:])
		if !user.IsZero() {
			in = inGlobal(famSession, org[:], user[:])
		}
		all, err := sessionsIn(r, in)
		live = []Session{}
		for _, n := range all {
			if u, ok := users[n.UserID]; ok && !n.over(&u, s.now()) {
				live = append(live, n)
			}
		}
		return err
	})
	return live, err
}

// usersOrOne are all users of an organization, or only the one that is asked for.
func usersOrOne(r kv.Reader, org, one uid.ID) (map[uid.ID]User, error) {
	byID := map[uid.ID]User{}
	if !one.IsZero() {
		u, err := userOf(r, org, one)
		if err == nil {
			byID[one] = u
		} else if errors.Is(err, ErrNotFound) {
			_, err = orgOf(r, org)
		}
		return byID, err
	}
	users, err := usersOf(r, org)
	for _, u := range users {
		byID[u.ID] = u
	}
	return byID, err
}

// FindSession is for the shell, which is in no organization: the session with that
// uid; ErrNotFound if there is none or it is over.
func (s *Store) FindSession(ctx context.Context, id uid.ID) (Session, error) {
	var found Session
	err := s.db.View(ctx, func(r kv.Reader) error {
		var name auth.SessionName
		err := r.Scan(inGlobal(famSession), kv.ScanOptions{KeysOnly: true}, func(key, _ []byte) (bool, error) {
			if n, ok := sessionAt(key); ok && n.ID == id {
				name = n
			}
			return name.ID.IsZero(), nil
		})
		if err != nil {
			return err
		}
		found, _, err = liveSession(r, name, s.now())
		return err
	})
	return found, err
}

// EndSession ends one session of by's organization. Errors: ErrNotFound if it is over.
func (s *Store) EndSession(ctx context.Context, by auth.Principal, user, id uid.ID) error {
	n := auth.SessionName{OrgID: by.OrgID, UserID: user, ID: id}
	return s.withdraw(ctx, by, func(t *tx) error {
		if _, _, err := liveSession(t, n, t.now); err != nil {
			return err
		}
		return errors.Join(t.Delete(keySession(n)), t.audit(sessionEnd, id, Detail{"user": user.String()}))
	})
}

// EndSessions ends every session of a user, also those that are being opened.
// Errors: ErrNotFound.
func (s *Store) EndSessions(ctx context.Context, by auth.Principal, user uid.ID) error {
	_, err := changeUser(ctx, s.withdraw, by, user, func(_ *tx, u *User) (Action, Detail, error) {
		u.endSessions()
		return userSignOut, nil, nil
	})
	return err
}

// EndOtherSessions ends every session of a user but one of his, also those that are
// being opened: the one that stays is taken into the next epoch. It lasts no longer than
// it would have. Errors: ErrNotFound if it is over.
func (s *Store) EndOtherSessions(ctx context.Context, by auth.Principal, stays Session) error {
	return s.withdraw(ctx, by, func(t *tx) error {
		session, user, err := liveSession(t, stays.name(), t.now)
		if err != nil {
			return err
		}
		user.endSessions()
		session.Epoch = user.Epoch
		return errors.Join(
			put(t, keySession(session.name()), famSession, recordOfSession(&session)),
			t.putUser(&user, userSignOut, Detail{"but": session.ID.String()}),
		)
	})
}

// sessionsIn reads the sessions of a range, over or not.
func sessionsIn(r kv.Reader, in kv.Range) ([]Session, error) {
	var all []Session
	err := scan(r, in, famSession, func(key []byte, rec *sessionRecord) error {
		name, ok := sessionAt(key)
		if !ok {
			return nil // verification names it
		}
		n, err := rec.session(name)
		all = append(all, n)
		return err
	})
	return all, err
}

// sweptAtOnce is how many records one transaction deletes.
const sweptAtOnce = 500

// sweepSessions deletes the sessions that are over: none of them comes back.
func (s *Store) sweepSessions(ctx context.Context) error {
	var over [][]byte
	err := s.db.View(ctx, func(r kv.Reader) error {
		all, err := sessionsIn(r, inGlobal(famSession))
		if err != nil {
			return err
		}
		over = nil
		for _, n := range all {
			user, err := userOf(r, n.OrgID, n.UserID)
			if err == nil && n.over(&user, s.now()) {
				over = append(over, keySession(n.name()))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.sweepEach(ctx, over, func(t *tx, key []byte) error { return t.Delete(key) })
}

// sweepEach has sweep look after each key, in transactions that are not too large.
func (s *Store) sweepEach(ctx context.Context, keys [][]byte, sweep func(t *tx, key []byte) error) error {
	for batch := range slices.Chunk(keys, sweptAtOnce) {
		err := s.update(ctx, auth.System(uid.ID{}), func(t *tx) error {
			for _, key := range batch {
				if err := sweep(t, key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
