package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
	"exante/storage/kv"
)

// Role is what a user may do in the dashboard.
type Role string

// The roles. The words are on disk.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Viewer Role = "viewer"
)

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r == Owner || r == Admin || r == Viewer }

// User is a person of one organization. E-mail addresses are unique in the instance, lower case.
type User struct {
	ID, OrgID            uid.ID
	Email                string
	Name                 string
	Role                 Role
	DisabledAt           time.Time
	HasPassword          bool
	CreatedAt, UpdatedAt time.Time
	Version              uint64
}

// UserDraft is a new user as asked for.
type UserDraft struct {
	Email string // 3..254 characters, one @
	Name  string // 0..200 characters
	Role  Role   // "": viewer
}

// userRecord is a user on disk; the IDs are in the key.
type userRecord struct {
	Email       string `cbor:"1,keyasint"`
	Name        string `cbor:"2,keyasint,omitempty"`
	Role        Role   `cbor:"3,keyasint"`
	DisabledAt  stamp  `cbor:"4,keyasint,omitempty"`
	HasPassword bool   `cbor:"5,keyasint,omitempty"`
	CreatedAt   stamp  `cbor:"6,keyasint"`
	UpdatedAt   stamp  `cbor:"7,keyasint"`
	Version     uint64 `cbor:"8,keyasint"`
}

func recordOfUser(u User) *userRecord {
	return &userRecord{
		u.Email, u.Name, u.Role, stampOf(u.DisabledAt), u.HasPassword, stampOf(u.CreatedAt), stampOf(u.UpdatedAt), u.Version,
	}
}

func (r *userRecord) user(org, id uid.ID) User {
	return User{
		ID: id, OrgID: org, Email: r.Email, Name: r.Name, Role: r.Role, DisabledAt: r.DisabledAt.time(),
		HasPassword: r.HasPassword, CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(), Version: r.Version,
	}
}

// emailRecord says whose an e-mail address is. It is what makes addresses unique.
type emailRecord struct {
	Org  uid.ID `cbor:"1,keyasint"`
	User uid.ID `cbor:"2,keyasint"`
}

// CreateUser adds a user to the organization. Errors: input.ErrInvalid; ErrExists if
// the address is taken; ErrNotFound if there is no such organization.
func (s *Store) CreateUser(ctx context.Context, by auth.Principal, d UserDraft) (User, error) {
	var bad input.Refusals
	user := User{Email: bad.Email("email", d.Email), Name: bad.Text("name", d.Name, 0, maxName), Role: d.Role}
	if user.Role == "" {
		user.Role = Viewer
	}
	if !user.Role.Valid() {
		bad.Add("role", "must be owner, admin or viewer")
	}
	if err := bad.Err(); err != nil {
		return User{}, err
	}
	err := s.update(ctx, by, func(t *tx) (err error) {
		user, err = t.insertUser(user, "email")
		return err
	})
	if err != nil {
		return User{}, err
	}
	return user, nil
}

// insertUser gives u an ID in the organization that is acted in and writes it
// with its address, which must be free: field names it if it is not.
func (t *tx) insertUser(u User, field string) (User, error) {
	id, err := t.store.ids.New()
	if err != nil {
		return u, err
	}
	u.ID, u.OrgID, u.CreatedAt, u.UpdatedAt, u.Version = id, t.by.OrgID, t.now, t.now, 1
	if err := t.count(func(c *counts) { c.Users++ }); err != nil {
		return u, err
	}
	err = insert(t, keyEmail(u.Email), famEmail, &emailRecord{u.OrgID, u.ID})
	if errors.Is(err, kv.ErrExists) {
		return u, &ExistsError{field}
	}
	return u, errors.Join(err,
		insert(t, keyUser(u.OrgID, u.ID), famUser, recordOfUser(u)),
		t.audit(userCreate, u.ID, Detail{"role": string(u.Role)}),
	)
}

// Users are all users of an organization, by creation; ErrNotFound.
func (s *Store) Users(ctx context.Context, org uid.ID) ([]User, error) {
	var users []User
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		users, err = usersOf(r, org)
		return err
	})
	return users, err
}

// OwnerOf is the organization's first owner; ErrNotFound if there is no such organization.
func (s *Store) OwnerOf(ctx context.Context, org uid.ID) (User, error) {
	var owner User
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		owner, err = ownerOf(r, org)
		return err
	})
	return owner, err
}

func usersOf(r kv.Reader, org uid.ID) ([]User, error) {
	c, err := countsOf(r, org)
	if err != nil {
		return nil, err
	}
	users := []User{}
	err = scan(r, inFamily(org, famUser), famUser, func(key []byte, rec *userRecord) error {
		id, err := idAt(key, orgKeyHead)
		users = append(users, rec.user(org, id))
		return err
	})
	if err != nil {
		return nil, err
	}
	return users, agree("users", len(users), c.Users)
}

func ownerOf(r kv.Reader, org uid.ID) (User, error) {
	users, err := usersOf(r, org)
	if err != nil {
		return User{}, err
	}
	for _, u := range users {
		if u.Role == Owner {
			return u, nil
		}
	}
	return User{}, fmt.Errorf("%w: organization %s has no owner", ErrCorrupt, org)
}

// userOf reads one user of an organization; ErrNotFound.
func userOf(r kv.Reader, org, id uid.ID) (User, error) {
	var rec userRecord
	err := get(r, keyUser(org, id), famUser, &rec)
	return rec.user(org, id), err
}
