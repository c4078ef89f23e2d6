package dashboard

import (
	"net/http"
	"strings"

	"exante/auth"
	"exante/auth/uid"
	"exante/storage/input"
)

// revokePage asks whether a key is to end, and says what ends with it.
type revokePage struct {
	Form     *form
	Key      *auth.Key
	Owner    string
	Last     auth.LastUse
	Requests string // of the last day, in words
	Typed    bool   // its name is to be typed
}

func askRevoke(v *visit) error {
	k, err := v.liveKey()
	if err != nil {
		return err
	}
	return v.askName(http.StatusOK, k, v.blank())
}

func (v *visit) askName(status int, k *auth.Key, f *form) error {
	days, err := v.store.LastDay(v.req.Context, v.org.ID, []uid.ID{k.ID}, v.now)
	if err != nil {
		return err
	}
	emails, err := v.emails(k)
	if err != nil {
		return err
	}
	last := v.store.Keyring().LastUse(k.ID)
	return v.show(status, "key_revoke", "Revoke “"+k.Name+"”", revokePage{
		Form: f, Key: k, Owner: emails[k.UserID], Last: last, Requests: requestsIn(&days[0]), Typed: !last.At.IsZero(),
	})
}

// revokeKey ends a key. Of one that is used, the name must have been typed: what stops
// working can't be brought back.
func revokeKey(v *visit) error {
	k, err := v.store.Key(v.org.ID, v.pathID())
	if err != nil {
		return err
	}
	f := v.form()
	if used := !v.store.Keyring().LastUse(k.ID).At.IsZero(); used && forgiving(f.value("name")) != forgiving(k.Name) && k.Usable(v.now) == nil {
		f.refuse("name", "Type the name of the key: "+k.Name)
		return v.askName(http.StatusUnprocessableEntity, k, f)
	}
	if _, err := v.store.RevokeKey(v.req.Context, v.by(), k.ID, 0); err != nil {
		return err
	}
	v.say("key-revoked")
	return v.goTo(keysPath)
}

// forgiving is a name without the differences that a tired typist makes.
func forgiving(name string) string { return input.Fold(strings.Join(strings.Fields(name), " ")) }
