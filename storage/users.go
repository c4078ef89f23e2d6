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

const badRole = "must be owner, admin or viewer"

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r == Owner || r == Admin || r == Viewer }

// User is a person of one organization. E-mail addresses are unique in the instance, lower case.
type User struct {
	ID, OrgID            uid.ID
	Email                string
	Name                 string
	Role                 Role
	DisabledAt           time.Time // zero: he is enabled
	Password             auth.Hash // zero: he can't sign in
	Epoch                uint64    // of his sessions: grows when all that there are end
	CreatedAt, UpdatedAt time.Time
	Version              uint64
}

// owns reports whether the user can act as an owner of his organization.
func (u *User) owns() bool { return u.Role == Owner && u.DisabledAt.IsZero() }

// HasPassword reports whether the user can sign in with one.
func (u *User) HasPassword() bool { return !u.Password.IsZero() }

// endSessions ends every session that the user has: each is of an epoch.
func (u *User) endSessions() { u.Epoch++ }

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
	HasPassword bool   `cbor:"5,keyasint,omitempty"` // says what Password says; older than it
	CreatedAt   stamp  `cbor:"6,keyasint"`
	UpdatedAt   stamp  `cbor:"7,keyasint"`
	Version     uint64 `cbor:"8,keyasint"`
	Password    string `cbor:"9,keyasint,omitempty"` // PHC string
	Epoch       uint64 `cbor:"10,keyasint,omitempty"`
}

func recordOfUser(u User) *userRecord {
	return &userRecord{
		Email: u.Email, Name: u.Name, Role: u.Role, DisabledAt: stampOf(u.DisabledAt),
		HasPassword: u.HasPassword(), Password: u.Password.PHC(), Epoch: u.Epoch,
		CreatedAt: stampOf(u.CreatedAt), UpdatedAt: stampOf(u.UpdatedAt), Version: u.Version,
	}
}

// user is the record as the rules know it. A hash that auth refuses is damage.
func (r *userRecord) user(org, id uid.ID) (User, error) {
	u := User{
		ID: id, OrgID: org, Email: r.Email, Name: r.Name, Role: r.Role, DisabledAt: r.DisabledAt.time(), Epoch: r.Epoch,
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(), Version: r.Version,
	}
	if r.Password == "" {
		return u, nil
	}
	var err error
	if u.Password, err = auth.ParseHash(r.Password); err != nil {
		return u, fmt.Errorf("%w: user %s: %w", ErrCorrupt, id, err)
	}
	return u, nil
}

// emailRecord says whose an e-mail address is. It is what makes addresses unique.
type emailRecord struct {
	Org  uid.ID `cbor:"1,keyasint"`
	User uid.ID `cbor:"2,keyasint"`
}

// CreateUser adds a user to the organization. Errors: input.ErrInvalid; ErrExists if
// the address is taken; ErrNotFound if there is no such organization.
func (s *Store) CreateUser(ctx context.Context, by auth.Principal, d UserDraft) (User, error) {
	user, err := d.user()
	if err != nil {
		return User{}, err
	}
	err = s.update(ctx, by, func(t *tx) (err error) {
		user, err = t.insertUser(user, "email")
		return err
	})
	if err != nil {
		return User{}, err
	}
	return user, nil
}

// user is the user that is asked for, as far as that says; input.ErrInvalid.
func (d *UserDraft) user() (User, error) {
	var bad input.Refusals
	u := User{Email: bad.Email("email", d.Email), Name: bad.Text("name", d.Name, 0, maxName), Role: d.Role}
	if u.Role == "" {
		u.Role = Viewer
	}
	if !u.Role.Valid() {
		bad.Add("role", badRole)
	}
	return u, bad.Err()
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

// FindUser is for the shell, which is in no organization: the user with that uid or
// e-mail address; ErrNotFound.
func (s *Store) FindUser(ctx context.Context, name string) (User, error) {
	var user User
	err := s.db.View(ctx, func(r kv.Reader) (err error) {
		if id, bad := uid.Parse(name); bad == nil {
			user, err = userIn(r, id)
			return err
		}
		user, err = userAt(r, name)
		return err
	})
	return user, err
}

// userIn is the user with that uid, in whatever organization; ErrNotFound.
func userIn(r kv.Reader, id uid.ID) (User, error) {
	orgs, err := allOrgs(r)
	if err != nil {
		return User{}, err
	}
	for _, org := range orgs {
		if user, err := userOf(r, org.ID, id); !errors.Is(err, ErrNotFound) {
			return user, err
		}
	}
	return User{}, ErrNotFound
}

// userAt is the user with that e-mail address; ErrNotFound.
func userAt(r kv.Reader, email string) (User, error) {
	clean, reason := input.Email(email)
	if reason != "" {
		return User{}, ErrNotFound
	}
	var at emailRecord
	if err := get(r, keyEmail(clean), famEmail, &at); err != nil {
		return User{}, err
	}
	user, err := userOf(r, at.Org, at.User)
	return user, missing(err, "user", keyUser(at.Org, at.User))
}

// OwnerOf is the organization's first enabled owner; ErrNotFound if there is no such organization.
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
		if err != nil {
			return err
		}
		user, err := rec.user(org, id)
		users = append(users, user)
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
		if u.owns() {
			return u, nil
		}
	}
	return User{}, fmt.Errorf("%w: organization %s has no enabled owner", ErrCorrupt, org)
}

// userOf reads one user of an organization; ErrNotFound.
func userOf(r kv.Reader, org, id uid.ID) (User, error) {
	var rec userRecord
	if err := get(r, keyUser(org, id), famUser, &rec); err != nil {
		return User{}, err
	}
	return rec.user(org, id)
}
