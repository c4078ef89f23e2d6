package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"exante/admin/config"
	"exante/auth"
	"exante/auth/uid"
	"exante/storage"
	"exante/storage/input"
)

// Bootstrap makes what [bootstrap] declares and the store lacks. What is there
// already stays as it is: where it differs from the declaration, the log says so, a
// warning each. A key that was revoked, or has expired, is there.
func (in ServeInput) Bootstrap(ctx context.Context, store *storage.Store) error {
	want := in.Config.Bootstrap
	if in.demo != nil || want.Organization == "" && want.OwnerEmail == "" && len(want.Keys) == 0 {
		return nil
	}
	b := &bootstrap{Desk: NewDesk(store, in.Config, nil, nil), source: in.shell.config.Source, log: in.Log}
	org, found, err := b.organization(ctx)
	if err != nil || !found {
		return err
	}
	for i, k := range want.Keys {
		if err := b.key(ctx, org, i, k); err != nil {
			return err
		}
	}
	return nil
}

type bootstrap struct {
	*Desk
	source func(setting string) string
	log    *slog.Logger
}

// organization is where the declared keys belong: the only one, or else the one
// with the declared name, made if it is absent. Several with that name, or none
// declared among several, is nothing to guess at: found is false then.
func (b *bootstrap) organization(ctx context.Context) (org uid.ID, found bool, err error) {
	want := b.config.Bootstrap
	orgs, err := b.store.Orgs(ctx)
	if err != nil {
		return uid.ID{}, false, err
	}
	if len(orgs) > 1 {
		if want.Organization == "" {
			b.drifted("bootstrap.organization", "", "none, but there are several", fmt.Sprint(len(orgs), " organizations"))
			return uid.ID{}, false, nil
		}
		orgs = slices.DeleteFunc(orgs, func(o storage.Organization) bool { return o.Name != want.Organization })
	}
	switch len(orgs) {
	case 0:
		org, err := b.makeOrg(ctx)
		return org, err == nil, err
	case 1:
		return orgs[0].ID, true, b.compareOrg(ctx, orgs[0])
	}
	b.drifted("bootstrap.organization", "", want.Organization, fmt.Sprint(len(orgs), " organizations of that name"))
	return uid.ID{}, false, nil
}

func (b *bootstrap) makeOrg(ctx context.Context) (uid.ID, error) {
	draft := storage.OrgDraft{Name: b.config.Bootstrap.Organization, OwnerEmail: b.config.Bootstrap.OwnerEmail}
	if draft.Name == "" {
		draft.Name = defaultOrg
	}
	org, _, err := b.store.CreateOrg(ctx, auth.System(uid.ID{}), draft)
	if err != nil {
		return uid.ID{}, b.refused("bootstrap.owner_email", "", err)
	}
	b.log.Info("made the declared organization", "uid", org.ID)
	return org.ID, nil
}

func (b *bootstrap) compareOrg(ctx context.Context, org storage.Organization) error {
	want := b.config.Bootstrap
	if want.Organization != "" && want.Organization != org.Name {
		b.drifted("bootstrap.organization", "", want.Organization, org.Name)
	}
	if want.OwnerEmail == "" {
		return nil
	}
	users, err := b.store.Users(ctx, org.ID)
	if err != nil {
		return err
	}
	var owners []string
	for _, u := range users {
		if u.Role == storage.Owner {
			owners = append(owners, u.Email)
		}
	}
	if !slices.Contains(owners, want.OwnerEmail) {
		b.drifted("bootstrap.owner_email", "", want.OwnerEmail, strings.Join(owners, " "))
	}
	return nil
}

// key makes the declared key k, item i of its setting, unless the organization has
// it.
func (b *bootstrap) key(ctx context.Context, org uid.ID, i int, k config.DeclaredKey) error {
	item := fmt.Sprintf("item %d: ", i+1)
	token, problem := readToken(k.SecretFile, b.config.Auth.Environment)
	if there := b.declaredKey(org, k.Name, token); there != nil {
		b.compareKey(k, there, token, problem)
		return nil
	}
	if problem != nil {
		return b.refused("bootstrap.keys", item+"secret_file: ", problem)
	}
	draft := storage.KeyDraft{Name: k.Name, Scopes: k.Scopes, Networks: k.Networks, Limits: k.Limits, Token: token}
	request := KeyRequest{}
	if k.ExpiresInDays > 0 {
		request.ExpiresInDays = &k.ExpiresInDays
	}
	var err error
	if draft.ExpiresAt, err = (Local{Desk: b.Desk}).expiry(request); err != nil {
		return b.refused("bootstrap.keys", item, err)
	}
	made, _, err := b.store.CreateKey(ctx, auth.System(org), draft)
	if errors.Is(err, storage.ErrSecretEnded) { // and a restore has lost the key
		b.drifted("bootstrap.keys", "name="+k.Name+" state", string(auth.Active), err.Error())
		return nil
	}
	if errors.Is(err, storage.ErrExists) {
		err = fmt.Errorf("secret_file: %s has the secret of another key: %w", k.SecretFile, storage.ErrExists)
	}
	if err != nil {
		return b.refused("bootstrap.keys", item, err)
	}
	b.log.Info("made a declared api key", "name", k.Name, "uid", made.ID)
	return nil
}

// declaredKey is the organization's key of that name, or else the one that token opens:
// it was given another name. One whose name is declared too is not it. nil: none.
func (b *bootstrap) declaredKey(org uid.ID, name string, token auth.Token) *auth.Key {
	if k := b.keyNamed(org, name, token); k != nil || token.IsZero() {
		return k
	}
	for _, k := range b.store.Keys(org) {
		taken := slices.ContainsFunc(b.config.Bootstrap.Keys, func(d config.DeclaredKey) bool { return d.Name == k.Name })
		if !taken && k.Tag == token.Tag() {
			return k
		}
	}
	return nil
}

// keyNamed is the organization's key of that name: the one that token opens if
// there are several, as after a rotation, else the newest. nil: none.
func (b *bootstrap) keyNamed(org uid.ID, name string, token auth.Token) *auth.Key {
	var found *auth.Key
	for _, k := range b.store.Keys(org) {
		if k.Name != name {
			continue
		}
		found = k
		if !token.IsZero() && k.Tag == token.Tag() {
			break
		}
	}
	return found
}

// compareKey reports how a key differs from its declaration. Its file is needed no
// longer: it may be gone, but what is wrong with it is still worth a word.
func (b *bootstrap) compareKey(want config.DeclaredKey, k *auth.Key, token auth.Token, problem error) {
	differs := func(what, declared, found string) {
		if declared != found {
			b.drifted("bootstrap.keys", "name="+want.Name+" "+what, declared, found)
		}
	}
	now := b.now()
	state := k.State(now)
	differs("name", want.Name, k.Name)
	differs("state", string(auth.Active), string(state))
	differs("scopes", want.Scopes.String(), k.Scopes.String())
	differs("allowed_cidrs", strings.Join(networkTexts(want.Networks), ","), strings.Join(networkTexts(k.Networks), ","))
	differs("rate_limit", want.Limits.String(), k.Limits.String())
	if want.ExpiresInDays > 0 {
		differs("expires_in_days", fmt.Sprint(want.ExpiresInDays), daysOf(k))
	}
	switch {
	case isAbsent(problem):
	case problem != nil:
		b.drifted("bootstrap.keys", "name="+want.Name+" secret_file", "the key's secret", problem.Error())
	case k.Tag != token.Tag():
		b.drifted("bootstrap.keys", "name="+want.Name+" secret_file", want.SecretFile, "the key has another secret")
	}
}

// daysOf is how many days a key was given, "never" if it does not expire.
func daysOf(k *auth.Key) string {
	if k.ExpiresAt.IsZero() {
		return "never"
	}
	return fmt.Sprint(int(k.ExpiresAt.Sub(k.CreatedAt).Round(day) / day))
}

func (b *bootstrap) drifted(setting, item, declared, found string) {
	args := []any{"setting", setting, "from", b.source(setting)}
	if item != "" {
		args = append(args, "item", item)
	}
	b.log.Warn("a declaration differs from the store; nothing was changed", append(args, "declared", declared, "found", found)...)
}

// refused says which setting asks for what can't be made. What is no fault of a
// setting stays what it is.
func (b *bootstrap) refused(setting, item string, err error) error {
	faults := []error{storage.ErrExists, input.ErrInvalid, errSecretFile}
	if !slices.ContainsFunc(faults, func(fault error) bool { return errors.Is(err, fault) }) {
		return err
	}
	return &config.Error{Key: setting, From: b.source(setting), Reason: item + err.Error()}
}
