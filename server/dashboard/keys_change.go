package dashboard

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"exante/auth"
	"exante/storage"
)

// changePage is the form for what can change of a key.
type changePage struct {
	Form    *form
	Key     *auth.Key
	Presets []preset // that it may stay at
	Scopes  []scopeChoice
	Default string // limits of a key that has none of its own
	LastDay string // by which it may be made to end, as a date field has it; "": any
	Confirm bool   // the password is asked for: the key would be opened to more networks
}

func askChange(v *visit) error {
	k, err := v.liveKey()
	if err != nil {
		return err
	}
	f := v.blank()
	f.set("name", k.Name)
	f.set("access", custom)
	if k.Scopes == auth.FullAccess {
		f.set("access", "full")
	}
	f.set("scopes", k.Scopes.Names()...)
	f.set("rate_limits", strings.ReplaceAll(k.Limits.String(), ",", ", "))
	f.set("allowed_cidrs", networksOf(k))
	return v.askRights(http.StatusOK, k, f)
}

// networksOf are the networks of a key as its form has them, one a line.
func networksOf(k *auth.Key) string {
	lines := make([]string, len(k.Networks))
	for i, n := range k.Networks {
		lines[i] = n.String()
	}
	return strings.Join(lines, "\n")
}

func (v *visit) askRights(status int, k *auth.Key, f *form) error {
	p := changePage{Form: f, Key: k, Scopes: scopeChoices(k.Scopes, 0), Default: v.defaultLimits(), Confirm: v.mustConfirm() && f.Error("password")+f.raw("password") != ""}
	if k.Scopes == auth.FullAccess {
		p.Presets = presets[len(presets)-1:]
	}
	if !k.ExpiresAt.IsZero() {
		p.LastDay = k.ExpiresAt.Add(-day).UTC().Format(time.DateOnly)
	}
	return v.show(status, "key_edit", "Change “"+k.Name+"”", p)
}

func changeKey(v *visit) error {
	k, err := v.liveKey()
	if err != nil {
		return err
	}
	f := v.form()
	name, scopes, networks, limits := f.name(), scopesOf(f), f.networks(), f.limits()
	patch := storage.KeyPatch{Name: &name, Scopes: &scopes, Networks: &networks}
	if limits.String() != k.Limits.String() { // an operator may have set more than a user may
		patch.Limits = &limits
	}
	if f.value("expires_on") != "" {
		end := v.expiresOn(f)
		patch.ExpiresAt = &end
	}
	if opens(k, networks) {
		if err := v.confirm(f); err != nil {
			return err
		}
	}
	if f.ok() {
		_, err = v.store.UpdateKey(v.req.Context, v.by(), k.ID, patch)
	}
	if err = f.take(err, "name", "scopes", "allowed_cidrs", "rate_limits", "expires_at"); err != nil {
		return err
	}
	if !f.ok() {
		return v.askRights(http.StatusUnprocessableEntity, k, f)
	}
	v.say("key-changed")
	return v.goTo(keyPath(k))
}

// opens reports whether a key could then be used from where it can't be used now. That
// hands out rights: who has found its secret may be waiting there.
func opens(k *auth.Key, networks []netip.Prefix) bool {
	if len(k.Networks) == 0 || len(networks) == 0 {
		return len(k.Networks) > 0
	}
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool {
		return !slices.ContainsFunc(k.Networks, func(has netip.Prefix) bool { return has.Bits() <= n.Bits() && has.Contains(n.Addr()) })
	})
}

// narrowPage shows what a key would lose.
type narrowPage struct {
	Key       *auth.Key
	Lost      []scopeChoice
	Left      []scopeChoice
	Names     []string // of the set that is left
	Since     time.Time
	Different bool // from what was shown before
}

// narrower is the set of scopes that would have done for a key. ok is false if all
// that it has is needed, or none.
func (v *visit) narrower(k *auth.Key) (f auth.Finding, ok bool) {
	for _, f := range auth.Hygiene(k, v.store.Keyring().LastUse(k.ID), v.now) {
		if f.Kind == auth.TooBroad && f.Narrower != 0 {
			return f, true
		}
	}
	return f, false
}

func askNarrow(v *visit) error {
	k, err := v.liveKey()
	if err != nil {
		return err
	}
	f, ok := v.narrower(k)
	if !ok {
		return v.goTo(keyPath(k) + "/edit")
	}
	return v.askLoss(http.StatusOK, k, f)
}

func (v *visit) askLoss(status int, k *auth.Key, f auth.Finding) error {
	return v.show(status, "key_narrow", "Narrow “"+k.Name+"”", narrowPage{
		Key: k, Lost: scopeChoices(k.Scopes, f.Narrower), Left: scopeChoices(f.Narrower, 0), Names: f.Narrower.Names(),
		Since: v.store.Keyring().LastUse(k.ID).WatchedSince, Different: status != http.StatusOK,
	})
}

// narrowKey takes from a key what it did not use. What was shown must still be so: the
// key may have used more meanwhile.
func narrowKey(v *visit) error {
	k, err := v.liveKey()
	if err != nil {
		return err
	}
	f, ok := v.narrower(k)
	if !ok {
		return v.goTo(keyPath(k) + "/edit")
	}
	if strings.Join(v.form().all("scopes"), ",") != f.Narrower.String() {
		return v.askLoss(http.StatusUnprocessableEntity, k, f)
	}
	if _, err := v.store.UpdateKey(v.req.Context, v.by(), k.ID, storage.KeyPatch{Scopes: &f.Narrower}); err != nil {
		return err
	}
	v.say("key-narrowed")
	return v.goTo(keyPath(k))
}
