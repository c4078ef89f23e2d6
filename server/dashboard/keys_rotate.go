package dashboard

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"exante/auth"
	"exante/storage"
)

// rotatePage asks for how long the old key goes on.
type rotatePage struct {
	Form    *form
	Key     *auth.Key
	Graces  []grace
	Lives   string // how long the successor lives
	Confirm bool
}

// grace is for how long a key goes on beside its successor.
type grace struct {
	Days  int
	Until time.Time
}

var graces = []int{0, 1, 7, 30}

// liveKey is the key in the path. Errors: ErrNotFound, ErrKeyEnded.
func (v *visit) liveKey() (*auth.Key, error) {
	k, err := v.store.Key(v.org.ID, v.pathID())
	if err == nil && k.Usable(v.now) != nil {
		err = storage.ErrKeyEnded
	}
	return k, err
}

func askRotate(v *visit) error {
	k, err := v.liveKey()
	if err != nil {
		return err
	}
	f := v.blank()
	f.set("grace_days", "7")
	return v.askGrace(http.StatusOK, k, f)
}

func (v *visit) askGrace(status int, k *auth.Key, f *form) error {
	if k.State(v.now) != auth.Active {
		return storage.ErrKeyNotActive
	}
	p := rotatePage{Form: f.nameOnce(), Key: k, Confirm: v.mustConfirm()}
	for _, days := range graces {
		until := v.now.Add(time.Duration(days) * day)
		if !k.ExpiresAt.IsZero() && k.ExpiresAt.Before(until) {
			until = k.ExpiresAt
		}
		p.Graces = append(p.Graces, grace{days, until})
	}
	if !k.ExpiresAt.IsZero() {
		p.Lives = span(k.ExpiresAt.Sub(k.CreatedAt))
	}
	return v.show(status, "key_rotate", "Rotate “"+k.Name+"”", p)
}

func rotateKey(v *visit) error {
	f := v.form()
	old, err := v.store.Key(v.org.ID, v.pathID()) // a form that is sent again finds it retired
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(f.value("grace_days"))
	if err != nil || !slices.Contains(graces, days) {
		f.refuse("grace_days", "Choose for how long the old key goes on.")
	}
	f.checkOnce()
	var (
		k     auth.Key
		token auth.Token
	)
	if err = v.confirm(f); err == nil && f.ok() {
		k, token, err = v.store.RotateKey(v.req.Context, v.by(), old.ID, time.Duration(days)*day, 0, v.onceKey(f))
	}
	if before := v.madeBefore(err); before != nil {
		return v.show(http.StatusOK, "key_before", "API key", keyBefore{Key: before})
	}
	if err != nil {
		return err
	}
	if !f.ok() {
		return v.askGrace(http.StatusUnprocessableEntity, old, f)
	}
	if old, err = v.store.Key(v.org.ID, old.ID); err != nil {
		return err
	}
	return v.reveal(&k, token, old)
}
