package storage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"exante/auth"
	"exante/auth/uid"
)

// replayAtOnce is how many records of the copy one transaction does again: each is
// two records.
const replayAtOnce = 300

// replay takes away again what was taken away after the backup. It gives nothing: a
// right that was granted since is lost with the rest.
func (s *Store) replay(ctx context.Context, after *aftermath, progress func(done, total int)) (Aftermath, error) {
	all, done := after.open(), after.Aftermath
	var stripped []said // owners whose keys are to be revoked
	for begin := 0; begin < len(all); {
		end := begin
		for end < len(all) && end < begin+replayAtOnce && all[end].OrgID == all[begin].OrgID {
			end++
		}
		var step replayed
		err := s.withdraw(ctx, auth.System(all[begin].OrgID), func(t *tx) error {
			step = replayed{tx: t, Aftermath: done} // it may run again
			return step.doAll(all[begin:end])
		})
		if err != nil {
			return done, err
		}
		done, stripped = step.Aftermath, append(stripped, step.stripped...)
		begin = end
		progress(end, len(all))
	}
	for _, owner := range stripped {
		n, err := s.revokeOf(ctx, &owner)
		if err != nil {
			return done, err
		}
		done.KeysRevoked += n
	}
	return done, nil
}

// revokeOf revokes every key of a user who stays enabled only because he is the last
// owner of his organization.
func (s *Store) revokeOf(ctx context.Context, owner *said) (revoked int, err error) {
	var ids []uid.ID
	for _, k := range s.Keys(owner.OrgID) {
		if k.UserID == owner.Target && k.State(s.now()) != auth.Revoked {
			ids = append(ids, k.ID)
		}
	}
	for some := range slices.Chunk(ids, revokeAtOnce) {
		err := s.withdraw(ctx, auth.System(owner.OrgID), func(t *tx) error { return t.revoke(some, owner.origin()) })
		if err != nil {
			return revoked, err
		}
		revoked += len(some)
	}
	return revoked, nil
}

// origin is what the audit log says of why something is done again: the number and
// the time of the record that says it was done.
func (s *said) origin() Detail {
	return Detail{"replayed_seq": fmt.Sprint(s.Seq), "replayed_at": s.At.UTC().Format(lineTime)}
}

// replayed is one transaction of a replay.
type replayed struct {
	*tx
	Aftermath
	stripped []said
}

func (t *replayed) doAll(all []said) error {
	for i := range all {
		do := t.user
		if all[i].kind <= topicExpiry {
			do = t.key
		}
		if err := do(&all[i]); err != nil {
			return fmt.Errorf("audit record %d, %s of %s: %w", all[i].Seq, all[i].Action, all[i].Target, err)
		}
	}
	return nil
}

// key does again what was done to a key. One that is not in the backup can't pass; but
// its secret may be declared in a configuration, and must not open a new key: so its
// end is written down again.
func (t *replayed) key(s *said) error {
	key, err := readKey(t, s.OrgID, s.Target)
	switch {
	case errors.Is(err, ErrNotFound) && s.kind == topicEnd && s.Detail[tagOf] != "":
		detail := s.origin()
		detail[tagOf] = s.Detail[tagOf]
		return t.audit(keyRevoke, s.Target, detail)
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case key.State(t.now) == auth.Revoked:
		return nil
	}
	if s.kind == topicEnd {
		return t.end(s, key)
	}
	return t.narrow(s, key)
}

// end ends a key when it was to end. If that has come it is said outright.
func (t *replayed) end(s *said, key *auth.Key) error {
	end, detail := s.ends(), endOf(key)
	maps.Copy(detail, s.origin())
	key.UpdatedAt = t.now
	if s.Action == keyRotate && t.now.Before(end) {
		if !key.RetiresAt.IsZero() && !end.Before(key.RetiresAt) {
			return nil
		}
		t.KeysRetiring++
		key.RetiresAt, detail[retiresAt] = end, end.UTC().Format(lineTime)
		return errors.Join(t.putKey(key), t.audit(keyRotate, key.ID, detail))
	}
	t.KeysRevoked++
	key.RevokedAt = end
	return errors.Join(t.putKey(key), t.audit(keyRevoke, key.ID, detail))
}

// narrow gives a key the scopes, networks, limits or end that it had, unless they are
// only wider. If what they were can't be read the key is revoked, to be safe.
func (t *replayed) narrow(s *said, key *auth.Key) error {
	patch, narrower, err := t.patch(s, key)
	if err != nil {
		return t.end(s, key)
	}
	if !narrower {
		return nil
	}
	detail, err := patch.apply(key, t.by)
	if err != nil || detail == nil {
		return err
	}
	for name, value := range s.origin() {
		detail[name] = value
	}
	t.KeysNarrowed++
	key.UpdatedAt = t.now
	return errors.Join(t.putKey(key), t.audit(keyUpdate, key.ID, detail))
}

// patch is what a record says of the scopes, networks, limits or end of a key, and
// whether that takes anything away from it.
func (t *replayed) patch(s *said, key *auth.Key) (p KeyPatch, narrower bool, err error) {
	field := map[topicKind]string{topicScopes: fieldScopes, topicNetworks: fieldNetworks, topicLimits: fieldLimits, topicExpiry: fieldExpiry}[s.kind]
	text, said := s.Detail[field]
	if !said {
		return p, false, errors.New("it does not say which")
	}
	switch s.kind {
	case topicScopes:
		return scopesAgain(text, key)
	case topicNetworks:
		nets, err := auth.ParseNetworks(strings.Fields(text))
		return KeyPatch{Networks: &nets}, !auth.NetworksInside(key.Networks, nets), err
	case topicExpiry:
		end, err := time.Parse(lineTime, text)
		return KeyPatch{ExpiresAt: &end}, !sooner(key.ExpiresAt, end).Equal(key.ExpiresAt), err
	default:
		var limits auth.Limits // none: the instance's
		if text != "" {
			limits, err = auth.ParseLimits(text)
		}
		then := t.store.limitsOf(&auth.Key{Limits: limits})
		return KeyPatch{Limits: &limits}, !t.store.limitsOf(key).Within(then), err
	}
}

// scopesAgain are the scopes that a key had in the end and has. A copy may tell of
// another past than that of the backup, so they may differ in both directions; if none
// is left the key is good for nothing.
func scopesAgain(text string, key *auth.Key) (p KeyPatch, narrower bool, err error) {
	then, err := auth.ParseScopes(strings.Split(text, ","))
	both := key.Scopes.Both(then)
	if err == nil && both == 0 {
		err = errors.New("none that it has now")
	}
	return KeyPatch{Scopes: &both}, !then.Covers(key.Scopes), err
}

// user does again what was done to a user.
func (t *replayed) user(s *said) error {
	u, err := userOf(t, s.OrgID, s.Target)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case s.kind == topicPassword:
		return t.clearPassword(s, &u)
	case s.Action == userDisable && u.DisabledAt.IsZero():
		return t.disable(s, &u)
	case s.kind == topicRole && rank(s.role()) < rank(u.Role):
		return t.lower(s, &u)
	}
	return nil
}

// clearPassword takes the password away that the user had when the backup was
// taken: he has been given another one since, perhaps because it was known.
func (t *replayed) clearPassword(s *said, u *User) error {
	if !u.HasPassword() {
		return nil
	}
	t.PasswordsCleared++
	return t.unpassword(u, s.origin())
}

func (t *replayed) unpassword(u *User, detail Detail) error {
	u.Password = auth.Hash{}
	u.endSessions()
	return t.putUser(u, userNoPass, detail)
}

func (t *replayed) disable(s *said, u *User) error {
	err := t.keepOwner(u)
	if errors.Is(err, ErrLastOwner) {
		t.stripped = append(t.stripped, *s)
		return t.keepStripped(s, u)
	}
	if err != nil {
		return err
	}
	t.UsersDisabled++
	u.DisabledAt = s.At
	u.endSessions()
	id := u.ID
	t.OnCommit(func() { t.store.keyring.SetDisabled(id, true) })
	return t.putUser(u, userDisable, s.origin())
}

func (t *replayed) lower(s *said, u *User) error {
	err := t.keepOwner(u)
	if errors.Is(err, ErrLastOwner) {
		return t.keepStripped(s, u)
	}
	if err != nil {
		return err
	}
	t.RolesLowered++
	detail, role := s.origin(), s.role()
	detail["old"], detail["new"] = string(u.Role), string(role)
	u.Role = role
	u.endSessions()
	return t.putUser(u, userRole, detail)
}

// keepStripped leaves an organization the only owner that the backup has of it: the
// one who came after him is lost. But he can't sign in until an operator lets him.
func (t *replayed) keepStripped(s *said, u *User) error {
	t.OwnersKept++
	detail := s.origin()
	detail["instead_of"] = string(s.Action)
	return t.unpassword(u, detail)
}

// role is what a record says that a user became.
func (s *said) role() Role {
	if r := Role(s.Detail["new"]); r.Valid() {
		return r
	}
	return Viewer
}

// rank orders the roles by what they may do.
func rank(r Role) int { return slices.Index([]Role{Viewer, Admin, Owner}, r) }
