package storage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
	"exante/storage/kv"
)

// Session is one browser in which a user has signed in. Its ID is no secret.
type Session struct {
	ID, OrgID, UserID uid.ID

	CreatedAt   time.Time
	ConfirmedAt time.Time     // when the password was last typed in it
	SeenAt      time.Time     // last seen, to touchEvery
	Idle        time.Duration // it ends when it was not seen for so long,
	EndsAt      time.Time     // and then at the latest

	Addr      netip.Addr // where it was opened from; invalid: not known
	UserAgent string     // at most 256 bytes that print

	Epoch  uint64 // the user's, when it was opened
	digest auth.SessionDigest
}

// SessionDraft is a session as asked for.
type SessionDraft struct {
	Idle, Max time.Duration // it ends when it was not seen for Idle, and after Max
	UserAgent []byte        // as it was sent
}

// Bounds of sessions.
const (
	maxSessions = 20          // of one user: the one that was not seen for the longest goes
	touchEvery  = time.Minute // how often it is written that a session was seen
)

func (n *Session) name() auth.SessionName {
	return auth.SessionName{OrgID: n.OrgID, UserID: n.UserID, ID: n.ID}
}

// over reports whether the session, which is one of u's, has ended at now.
func (n *Session) over(u *User, now time.Time) bool {
	return n.Epoch != u.Epoch || !u.DisabledAt.IsZero() || !now.Before(n.EndsAt) || !now.Before(n.SeenAt.Add(n.Idle))
}

// SignIn checks an address and a password and opens a session; by says where from.
// Errors: ErrSignIn, which does not say what was wrong, input.ErrInvalid for the
// draft, *auth.BusyError.
func (s *Store) SignIn(ctx context.Context, by auth.Principal, email string, p auth.Password, d SessionDraft) (Session, auth.SessionToken, error) {
	if err := d.check(); err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	user, err := s.checkPassword(ctx, email, p)
	if err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	by.OrgID, by.UserID = user.OrgID, user.ID
	token, err := s.mintSession(by)
	if err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	better := s.betterHash(ctx, &user, p)
	var made Session
	err = s.update(ctx, by, func(t *tx) error {
		made = t.session(token, d, user.Epoch)
		return t.openSession(&made, better)
	})
	if err != nil {
		return Session{}, auth.SessionToken{}, err
	}
	return made, token, nil
}

// check refuses a draft of which no session could be used.
func (d *SessionDraft) check() error {
	if d.Idle < touchEvery || d.Max < d.Idle {
		return input.Invalid("session", "must last a minute when idle, and no longer than in all")
	}
	return nil
}

// mintSession makes the token of a new session of by's user.
func (s *Store) mintSession(by auth.Principal) (auth.SessionToken, error) {
	id, err := s.ids.New()
	if err != nil {
		return auth.SessionToken{}, err
	}
	return auth.MintSession(auth.SessionName{OrgID: by.OrgID, UserID: by.UserID, ID: id}, s.options.Rand)
}

// session is a new session of whoever has just typed his password.
func (t *tx) session(token auth.SessionToken, d SessionDraft, epoch uint64) Session {
	n := token.Name()
	return Session{
		ID: n.ID, OrgID: n.OrgID, UserID: n.UserID, CreatedAt: t.now, ConfirmedAt: t.now, SeenAt: t.now, Idle: d.Idle, EndsAt: t.now.Add(d.Max),
		Addr: t.by.Addr, UserAgent: auth.AgentText(d.UserAgent), Epoch: epoch, digest: token.Digest(),
	}
}

// openSession writes a session of a user as he was when his password was checked;
// ErrSignIn if that no longer holds. A better hash replaces that of his password.
func (t *tx) openSession(n *Session, better auth.Hash) error {
	user, err := userOf(t, n.OrgID, n.UserID)
	if err != nil {
		return err
	}
	if user.Epoch != n.Epoch || !user.DisabledAt.IsZero() {
		return ErrSignIn
	}
	if !better.IsZero() {
		user.Password = better
		if err := t.putUser(&user, userRehash, nil); err != nil {
			return err
		}
	}
	return t.insertSession(n, &user)
}

// insertSession writes a new session of u, and deletes those of his that are over
// and what is too many.
func (t *tx) insertSession(n *Session, u *User) error {
	all, err := sessionsIn(t, inGlobal(famSession, n.OrgID[:], n.UserID[:]))
	if err != nil {
		return err
	}
	live := []Session{}
	for _, old := range all {
		if !old.over(u, t.now) {
			live = append(live, old)
		} else if err := t.Delete(keySession(old.name())); err != nil {
			return err
		}
	}
	if len(live) >= maxSessions {
		oldest := live[0]
		for _, old := range live {
			if old.SeenAt.Before(oldest.SeenAt) {
				oldest = old
			}
		}
		if err := t.Delete(keySession(oldest.name())); err != nil {
			return err
		}
	}
	return errors.Join(
		insert(t, keySession(n.name()), famSession, recordOfSession(n)),
		t.audit(sessionCreate, n.ID, nil),
	)
}

// Session is the session of a token, and whose it is. One that is over, was ended,
// or is of a disabled user is absent: ErrNotFound.
func (s *Store) Session(ctx context.Context, token auth.SessionToken) (Session, User, error) {
	var (
		session Session
		user    User
	)
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		session, user, err = liveSession(r, token.Name(), s.now())
		return err
	})
	if err == nil && !session.digest.Matches(token) {
		err = ErrNotFound
	}
	if err != nil {
		return Session{}, User{}, err
	}
	return session, user, nil
}

// liveSession reads a session that is not over, with its user; ErrNotFound.
func liveSession(r kv.Reader, n auth.SessionName, now time.Time) (Session, User, error) {
	session, err := readSession(r, n)
	if err != nil {
		return Session{}, User{}, err
	}
	user, err := userOf(r, n.OrgID, n.UserID)
	if err != nil {
		return Session{}, User{}, missing(err, "user", keyUser(n.OrgID, n.UserID))
	}
	if session.over(&user, now) {
		return Session{}, User{}, ErrNotFound
	}
	return session, user, nil
}

// TouchSession notes that a session was seen. That is written once in a minute: a
// request costs no transaction, and a session that is left alone ends up to a
// minute early. Errors: ErrNotFound if it has ended meanwhile.
func (s *Store) TouchSession(ctx context.Context, n Session) error {
	if s.now().Sub(n.SeenAt) < touchEvery {
		return nil
	}
	by := auth.Principal{OrgID: n.OrgID, UserID: n.UserID}
	return s.update(ctx, by, func(t *tx) error {
		session, _, err := liveSession(t, n.name(), t.now)
		if err != nil || t.now.Sub(session.SeenAt) < touchEvery {
			return err
		}
		session.SeenAt = t.now
		return put(t, keySession(n.name()), famSession, recordOfSession(&session))
	})
}

// sessionRecord is a session on disk; whose it is is in its key.
type sessionRecord struct {
	Digest      auth.SessionDigest `cbor:"1,keyasint"`
	Epoch       uint64             `cbor:"2,keyasint,omitempty"`
	CreatedAt   stamp              `cbor:"3,keyasint"`
	SeenAt      stamp              `cbor:"4,keyasint"`
	EndsAt      stamp              `cbor:"5,keyasint"`
	Idle        int64              `cbor:"6,keyasint"` // milliseconds
	Addr        string             `cbor:"7,keyasint,omitempty"`
	UserAgent   string             `cbor:"8,keyasint,omitempty"`
	ConfirmedAt stamp              `cbor:"9,keyasint,omitempty"` // 0: when it was created; older records do not say
}

func recordOfSession(n *Session) *sessionRecord {
	return &sessionRecord{
		Digest: n.digest, Epoch: n.Epoch, CreatedAt: stampOf(n.CreatedAt), ConfirmedAt: stampOf(n.ConfirmedAt), SeenAt: stampOf(n.SeenAt), EndsAt: stampOf(n.EndsAt),
		Idle: n.Idle.Milliseconds(), Addr: textOf(n.Addr), UserAgent: n.UserAgent,
	}
}

func (r *sessionRecord) session(n auth.SessionName) (Session, error) {
	s := Session{
		ID: n.ID, OrgID: n.OrgID, UserID: n.UserID, CreatedAt: r.CreatedAt.time(), SeenAt: r.SeenAt.time(), EndsAt: r.EndsAt.time(),
		ConfirmedAt: cmp.Or(r.ConfirmedAt, r.CreatedAt).time(),
		Idle:        time.Duration(r.Idle) * time.Millisecond, UserAgent: r.UserAgent, Epoch: r.Epoch, digest: r.Digest,
	}
	if r.Addr == "" {
		return s, nil
	}
	var err error
	if s.Addr, err = netip.ParseAddr(r.Addr); err != nil {
		return s, fmt.Errorf("%w: session %s: %w", ErrCorrupt, n.ID, err)
	}
	return s, nil
}

// readSession reads one session, over or not; ErrNotFound.
func readSession(r kv.Reader, n auth.SessionName) (Session, error) {
	var rec sessionRecord
	if err := get(r, keySession(n), famSession, &rec); err != nil {
		return Session{}, err
	}
	return rec.session(n)
}
