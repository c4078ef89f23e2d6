package storage

import "exante/auth"

// sessions checks that every session is one that its user can have opened.
func (v *verification) sessions() {
	each(v, inGlobal(famSession), famSession, func(key []byte, rec *sessionRecord) {
		name, ok := sessionAt(key)
		if !ok {
			return // survey named it
		}
		_, err := rec.session(name)
		v.check(key, err)
		if rec.Digest == (auth.SessionDigest{}) || rec.Idle <= 0 || rec.SeenAt < rec.CreatedAt || rec.EndsAt <= rec.CreatedAt {
			v.find(key, "has no secret, or ends before it begins")
		}
		var user userRecord
		if v.refers(key, keyUser(name.OrgID, name.UserID), famUser, &user) && rec.Epoch > user.Epoch {
			v.find(key, "was opened in a later epoch than its user has seen")
		}
	})
}
