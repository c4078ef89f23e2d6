package storage

import (
	"context"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
)

// The standing of a user: whether he is enabled, and his role. What takes
// something from him ends his sessions as well.

// DisableUser ends a user's sessions, his setup link with them, and suspends his
// keys. When it returns, the keyring refuses them. Idempotent: the first instant stands. Errors: ErrNotFound,
// ErrLastOwner.
func (s *Store) DisableUser(ctx context.Context, by auth.Principal, id uid.ID) (User, error) {
	return changeUser(ctx, s.withdraw, by, id, func(t *tx, u *User) (Action, Detail, error) {
		if !u.DisabledAt.IsZero() {
			return "", nil, nil
		}
		if err := t.keepOwner(u); err != nil {
			return "", nil, err
		}
		u.DisabledAt = t.now
		u.endSessions()
		t.OnCommit(func() { s.keyring.SetDisabled(id, true) })
		return userDisable, nil, t.dropSetup(u)
	})
}

// EnableUser lets a disabled user back in, and those of his keys that have not
// ended meanwhile. His sessions stay ended. Errors: ErrNotFound.
func (s *Store) EnableUser(ctx context.Context, by auth.Principal, id uid.ID) (User, error) {
	return changeUser(ctx, s.update, by, id, func(t *tx, u *User) (Action, Detail, error) {
		if u.DisabledAt.IsZero() {
			return "", nil, nil
		}
		u.DisabledAt = time.Time{}
		t.OnCommit(func() { s.keyring.SetDisabled(id, false) })
		return userEnable, nil, nil
	})
}

// SetRole gives a user another role, and ends his sessions (OWASP ASVS 7.2: a
// session does not outlive a change of privileges). Errors: input.ErrInvalid,
// ErrNotFound, ErrLastOwner.
func (s *Store) SetRole(ctx context.Context, by auth.Principal, id uid.ID, role Role) (User, error) {
	if !role.Valid() {
		return User{}, input.Invalid("role", badRole)
	}
	return changeUser(ctx, s.withdraw, by, id, func(t *tx, u *User) (Action, Detail, error) {
		if u.Role == role {
			return "", nil, nil
		}
		if err := t.keepOwner(u); err != nil {
			return "", nil, err
		}
		d := Detail{"old": string(u.Role), "new": string(role)}
		u.Role = role
		u.endSessions()
		return userRole, d, nil
	})
}

// writer is update or withdraw.
type writer func(context.Context, auth.Principal, func(*tx) error) error

// changeUser changes one user of by's organization. An empty action says that
// nothing changed.
func changeUser(ctx context.Context, write writer, by auth.Principal, id uid.ID, change func(*tx, *User) (Action, Detail, error)) (User, error) {
	var user User
	err := write(ctx, by, func(t *tx) (err error) {
		if user, err = userOf(t, by.OrgID, id); err != nil {
			return err
		}
		action, detail, err := change(t, &user)
		if err != nil || action == "" {
			return err
		}
		return t.putUser(&user, action, detail)
	})
	if err != nil {
		return User{}, err
	}
	return user, nil
}

// putUser writes u as its next version, with an audit record.
func (t *tx) putUser(u *User, action Action, detail Detail) error {
	u.UpdatedAt = t.now
	u.Version++
	if err := put(t, keyUser(u.OrgID, u.ID), famUser, recordOfUser(*u)); err != nil {
		return err
	}
	return t.audit(action, u.ID, detail)
}

// keepOwner refuses to take an organization's last enabled owner from it: nobody
// could let himself back in. The fence makes two that go at once meet.
func (t *tx) keepOwner(u *User) error {
	if !u.owns() {
		return nil
	}
	if err := t.Fence(keyOrg(u.OrgID)); err != nil {
		return err
	}
	users, err := usersOf(t, u.OrgID)
	if err != nil {
		return err
	}
	for _, other := range users {
		if other.owns() && other.ID != u.ID {
			return nil
		}
	}
	return ErrLastOwner
}
