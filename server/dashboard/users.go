package dashboard

import (
	"errors"
	"net/http"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
)

// pageSize is how many rows a list shows at once.
const pageSize = 50

// usersPage lists the users of the organization.
type usersPage struct {
	Users []member
	Total uint64
	Next  string // the uid after which the next page begins; "": there is none
	First bool   // the page is the first
	Find  string // an address that was looked for
}

// member is a user as the pages show him.
type member struct {
	storage.Member
	ActiveKeys int
	Self       bool // he who looks
}

// Disabled, Invited and RoleName are for the templates.

// Disabled reports whether he can't sign in, nor his keys be used.
func (m member) Disabled() bool { return !m.DisabledAt.IsZero() }

// Invited reports whether he has yet to choose a password.
func (m member) Invited() bool { return !m.HasPassword() }

// RoleName is his role as a word.
func (m member) RoleName() string { return roleName(m.Role) }

func listUsers(v *visit) error {
	after, _ := uid.Parse(v.req.Query.Get("after")) // a malformed one: from the beginning
	find := v.req.Query.Get("find")
	list, more, err := v.findUsers(after, find)
	if err != nil {
		return err
	}
	figures, err := v.store.OrgFigures(v.req.Context, v.org.ID)
	if err != nil {
		return err
	}
	data := usersPage{Total: figures.Users, First: after.IsZero(), Find: find}
	keys := v.activeKeys()
	for _, m := range list {
		data.Users = append(data.Users, v.member(m, keys))
	}
	if more {
		data.Next = list[len(list)-1].ID.String()
	}
	return v.show(http.StatusOK, "users", "Users", data)
}

// findUsers is a page of users, or the one with the address that is looked for.
func (v *visit) findUsers(after uid.ID, email string) (list []storage.Member, more bool, err error) {
	if email == "" {
		return v.store.Members(v.req.Context, v.org.ID, after, pageSize)
	}
	id, err := v.userAt(email)
	if err != nil || id.IsZero() {
		return nil, false, err
	}
	m, err := v.store.Member(v.req.Context, v.org.ID, id)
	return []storage.Member{m}, false, err
}

// userAt is the user of the organization with that address; zero if there is none:
// who has it elsewhere, nobody is told.
func (v *visit) userAt(email string) (uid.ID, error) {
	user, err := v.store.FindUser(v.req.Context, email)
	if errors.Is(err, storage.ErrNotFound) || err == nil && user.OrgID != v.org.ID {
		return uid.ID{}, nil
	}
	return user.ID, err
}

func (v *visit) member(m storage.Member, keys map[uid.ID]int) member {
	return member{Member: m, ActiveKeys: keys[m.ID], Self: m.ID == v.user.ID}
}

// activeKeys counts the keys that could be used now if their user is enabled, by user.
func (v *visit) activeKeys() map[uid.ID]int {
	count := map[uid.ID]int{}
	for _, k := range v.store.Keys(v.org.ID) {
		if k.Usable(v.now) == nil {
			count[k.UserID]++
		}
	}
	return count
}

// pathMember is the user whose uid is in the path; ErrNotFound.
func (v *visit) pathMember() (member, error) {
	m, err := v.store.Member(v.req.Context, v.org.ID, v.pathID())
	if err != nil {
		return member{}, err
	}
	return v.member(m, v.activeKeys()), nil
}

// userPage is one user, and a form to do something with him.
type userPage struct {
	User  member
	Form  *form
	Roles []roleWord
	Keys  []*auth.Key // active ones, at most as many as a page shows
}

func showUser(v *visit) error {
	m, err := v.pathMember()
	if err != nil {
		return err
	}
	data := userPage{User: m, Form: v.blank()}
	for _, k := range v.store.Keys(v.org.ID) {
		if k.UserID == m.ID && k.Usable(v.now) == nil && len(data.Keys) < pageSize {
			data.Keys = append(data.Keys, k)
		}
	}
	return v.show(http.StatusOK, "user", m.Email, data)
}
