package storage

import (
	"context"
	"time"

	"exante/auth/uid"
	"exante/storage/kv"
)

// Member is a user, and where he is signed in now.
type Member struct {
	User
	Sessions int       // that are not over
	SeenAt   time.Time // when one of them was last seen; zero: there is none
}

// Members are users of an organization by creation, those after the one with the uid
// after and at most limit of them. more says whether others follow.
func (s *Store) Members(ctx context.Context, org, after uid.ID, limit int) (members []Member, more bool, err error) {
	in := inFamily(org, famUser)
	if !after.IsZero() {
		in.Start = append(keyUser(org, after), 0)
	}
	now := s.now()
	err = s.db.View(ctx, func(r kv.Reader) error {
		members, more = []Member{}, false
		err := scanWhile(r, in, famUser, func(key []byte, rec *userRecord) (bool, error) {
			if more = len(members) == limit; more {
				return false, nil
			}
			id, err := idAt(key, orgKeyHead)
			if err != nil {
				return false, err
			}
			user, err := rec.user(org, id)
			members = append(members, Member{User: user})
			return true, err
		})
		for n := 0; err == nil && n < len(members); n++ {
			err = members[n].seen(r, now)
		}
		return err
	})
	return members, more, err
}

// Member is one user of an organization; ErrNotFound.
func (s *Store) Member(ctx context.Context, org, id uid.ID) (Member, error) {
	var m Member
	now := s.now()
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		m = Member{}
		if m.User, err = userOf(r, org, id); err != nil {
			return err
		}
		return m.seen(r, now)
	})
	return m, err
}

// seen looks where the member is signed in.
func (m *Member) seen(r kv.Reader, now time.Time) error {
	all, err := sessionsIn(r, inGlobal(famSession, m.OrgID[:], m.ID[:]))
	for _, n := range all {
		if n.over(&m.User, now) {
			continue
		}
		m.Sessions++
		if n.SeenAt.After(m.SeenAt) {
			m.SeenAt = n.SeenAt
		}
	}
	return err
}
