package admin

import (
	"context"
	"fmt"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// DisableUser implements Ops.
func (l Local) DisableUser(ctx context.Context, in UserRef) (User, error) {
	return l.changeUser(ctx, "disable", in.User, l.store.DisableUser)
}

// EnableUser implements Ops.
func (l Local) EnableUser(ctx context.Context, in UserRef) (User, error) {
	return l.changeUser(ctx, "enable", in.User, l.store.EnableUser)
}

// SetRole implements Ops.
func (l Local) SetRole(ctx context.Context, in RoleRequest) (User, error) {
	return l.changeUser(ctx, "change", in.User, func(ctx context.Context, by auth.Principal, id uid.ID) (storage.User, error) {
		return l.store.SetRole(ctx, by, id, storage.Role(in.Role))
	})
}

// SetPassword implements Ops.
func (l Local) SetPassword(ctx context.Context, in PasswordRequest) (User, error) {
	return l.changeUser(ctx, "change", in.User, func(ctx context.Context, by auth.Principal, id uid.ID) (storage.User, error) {
		return l.store.SetPassword(ctx, by, id, auth.NewPassword(in.Password.Reveal()))
	})
}

// changeUser finds a user and has change done to him; verb says what that is.
func (l Local) changeUser(ctx context.Context, verb, name string, change func(context.Context, auth.Principal, uid.ID) (storage.User, error)) (User, error) {
	user, err := l.findUser(ctx, name)
	if err != nil {
		return User{}, err
	}
	changed, err := change(ctx, l.by.In(user.OrgID), user.ID)
	if err != nil {
		return User{}, fmt.Errorf("%s user %s: %w", verb, user.Email, err)
	}
	return userShape(changed), nil
}

// findUser is the user with that uid or e-mail address.
func (l Local) findUser(ctx context.Context, name string) (storage.User, error) {
	user, err := l.store.FindUser(ctx, name)
	if err != nil {
		return user, fmt.Errorf("user %q: %w", name, err)
	}
	return user, nil
}

// Sessions implements Ops.
func (l Local) Sessions(ctx context.Context, in SessionsRef) ([]Session, error) {
	orgs, err := l.orgs(ctx, in.Org)
	if err != nil {
		return nil, err
	}
	var user storage.User
	if in.User != "" {
		if user, err = l.findUser(ctx, in.User); err != nil {
			return nil, err
		}
	}
	shapes := []Session{}
	for _, org := range orgs {
		some, err := l.sessionsOf(ctx, org, user.ID)
		if err != nil {
			return nil, err
		}
		shapes = append(shapes, some...)
	}
	return shapes, nil
}

// sessionsOf are the sessions of an organization, or of one user of it.
func (l Local) sessionsOf(ctx context.Context, org, user uid.ID) ([]Session, error) {
	sessions, err := l.store.Sessions(ctx, org, user)
	if err != nil {
		return nil, err
	}
	users, err := l.store.Users(ctx, org)
	if err != nil {
		return nil, err
	}
	emails := map[uid.ID]string{}
	for _, u := range users {
		emails[u.ID] = u.Email
	}
	shapes := []Session{}
	for _, n := range sessions {
		shapes = append(shapes, sessionShape(n, emails[n.UserID]))
	}
	return shapes, nil
}

// EndSession implements Ops.
func (l Local) EndSession(ctx context.Context, in SessionRef) (Session, error) {
	id, err := uid.Parse(in.UID)
	if err != nil {
		return Session{}, fmt.Errorf("session %q: %w", in.UID, storage.ErrNotFound)
	}
	n, err := l.store.FindSession(ctx, id)
	if err != nil {
		return Session{}, fmt.Errorf("session %s: %w", in.UID, err)
	}
	user, err := l.findUser(ctx, n.UserID.String())
	if err != nil {
		return Session{}, err
	}
	if err := l.store.EndSession(ctx, l.by.In(n.OrgID), n.UserID, n.ID); err != nil {
		return Session{}, fmt.Errorf("end session %s: %w", in.UID, err)
	}
	return sessionShape(n, user.Email), nil
}

// EndSessions implements Ops.
func (l Local) EndSessions(ctx context.Context, in UserRef) ([]Session, error) {
	user, err := l.findUser(ctx, in.User)
	if err != nil {
		return nil, err
	}
	known, err := l.sessionsOf(ctx, user.OrgID, user.ID)
	if err != nil {
		return nil, err
	}
	if err := l.store.EndSessions(ctx, l.by.In(user.OrgID), user.ID); err != nil {
		return nil, fmt.Errorf("end the sessions of %s: %w", user.Email, err)
	}
	return known, nil
}
