package storage

import (
	"bytes"
	"reflect"

	"exante/auth"
	"exante/auth/uid"
)

// emails checks that every address is that of the user it names.
func (v *verification) emails() {
	each(v, inGlobal(famEmail), famEmail, func(key []byte, rec *emailRecord) {
		var user userRecord
		if v.refers(key, keyUser(rec.Org, rec.User), famUser, &user) && user.Email != string(key[globalKeyHead:]) {
			v.find(key, "names user %s, who has another address", rec.User)
		}
	})
}

// tags checks that every look-up tag is that of the API key it names.
func (v *verification) tags() {
	each(v, inGlobal(famTag), famTag, func(key []byte, rec *tagRecord) {
		id, err := idAt(key, globalKeyHead+len(auth.Tag{}))
		if err != nil {
			return // survey named it
		}
		var k keyRecord
		if v.refers(key, keyAPIKey(rec.Org, id), famKey, &k) && keyOf(k.Tag, id) != string(key) {
			v.find(key, "names api key %s, which has another tag", id)
		}
	})
}

func keyOf(t auth.Tag, id uid.ID) string { return string(keyTag(t, id)) }

// users checks the users of an organization, that an enabled one of them owns it,
// and that the keyring knows whose keys are suspended.
func (v *verification) users(org uid.ID, c counts) {
	owners := 0
	var stale [][]byte // whose keys the keyring takes for what they are not
	in := inFamily(org, famUser)
	found := each(v, in, famUser, func(key []byte, rec *userRecord) {
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return
		}
		user, err := rec.user(org, id)
		if v.check(key, err); user.owns() {
			owners++
		}
		if rec.HasPassword != (rec.Password != "") {
			v.find(key, "says that it has a password and has none, or the reverse")
		}
		if v.store.keyring.Disabled(id) == user.DisabledAt.IsZero() {
			stale = append(stale, bytes.Clone(key))
		}
		if !rec.Role.Valid() || rec.Version == 0 {
			v.find(key, "has role %q and version %d", rec.Role, rec.Version)
		}
		var email emailRecord
		if v.refers(key, keyEmail(rec.Email), famEmail, &email) && email != (emailRecord{org, id}) {
			v.find(key, "has an address that is another user's")
		}
	})
	v.agree("users", in, found, c.Users)
	if owners == 0 {
		v.find(keyOrg(org), "has no enabled owner")
	}
	if len(stale) > 0 && v.still() {
		for _, key := range stale {
			v.find(key, "is disabled on disk or in the keyring, but not in both")
		}
	}
}

// apiKeys checks the API keys of an organization.
func (v *verification) apiKeys(org uid.ID, c counts) {
	in := inFamily(org, famKey)
	var stale [][]byte // not in the keyring as they are
	found := each(v, in, famKey, func(key []byte, rec *keyRecord) {
		id, err := idAt(key, orgKeyHead)
		if err != nil {
			return
		}
		k, err := rec.key(org, id)
		if err != nil {
			v.find(key, "%v", err)
			return
		}
		v.apiKey(key, k)
		if live, known := v.store.keyring.Get(id); !known || !reflect.DeepEqual(recordOfKey(live), rec) {
			stale = append(stale, bytes.Clone(key))
		}
	})
	v.agree("api keys", in, found, c.Keys)
	if surplus := len(v.store.keyring.Of(org)) != found; (surplus || len(stale) > 0) && v.still() {
		for _, key := range stale {
			v.find(key, "is not in the keyring as it is on disk")
		}
		if surplus {
			v.find(keyCounts(org), "the keyring has %d api keys, the disk %d", len(v.store.keyring.Of(org)), found)
		}
	}
}

func (v *verification) apiKey(key []byte, k *auth.Key) {
	var tag tagRecord
	if v.refers(key, keyTag(k.Tag, k.ID), famTag, &tag) && tag.Org != k.OrgID {
		v.find(key, "has a tag that names organization %s", tag.Org)
	}
	v.refers(key, keyUser(k.OrgID, k.UserID), famUser, &userRecord{})
	if k.Name == "" || k.Version == 0 || k.Scopes == 0 {
		v.find(key, "has no name, no version or no scopes")
	}
	var other keyRecord
	if !k.RotatedTo.IsZero() && v.refers(key, keyAPIKey(k.OrgID, k.RotatedTo), famKey, &other) && other.RotatedFrom != k.ID {
		v.find(key, "names a successor, %s, which does not name it", k.RotatedTo)
	}
	other = keyRecord{}
	if !k.RotatedFrom.IsZero() && v.refers(key, keyAPIKey(k.OrgID, k.RotatedFrom), famKey, &other) && other.RotatedTo != k.ID {
		v.find(key, "names a predecessor, %s, which does not name it", k.RotatedFrom)
	}
	if !k.RotatedTo.IsZero() && k.RevokedAt.IsZero() && k.RetiresAt.IsZero() {
		v.find(key, "was rotated and never ends")
	}
}

// usage checks that what is recorded of API keys is recorded of keys that exist.
func (v *verification) usage(org uid.ID) {
	each(v, inFamily(org, famUse), famUse, func(key []byte, rec *useRecord) {
		id := v.usedKey(org, key)
		_, err := rec.use(org, id)
		v.check(key, err)
	})
	each(v, inFamily(org, famHour), famHour, func(key []byte, _ *hourRecord) {
		v.usedKey(org, key)
		if hour, err := hourAt(key); err == nil && hour != hourOf(hour) {
			v.find(key, "does not begin on the hour")
		}
	})
}

func (v *verification) usedKey(org uid.ID, key []byte) uid.ID {
	id, err := idAt(key, orgKeyHead)
	if err == nil {
		v.refers(key, keyAPIKey(org, id), famKey, &keyRecord{})
	}
	return id
}
