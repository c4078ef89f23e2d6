package storage

import (
	"exante/auth"
	"exante/auth/uid"
)

// setups checks that every setup link is one that its user can have been given.
func (v *verification) setups() {
	each(v, inGlobal(famSetup), famSetup, func(key []byte, rec *setupRecord) {
		org, id, ok := setupAt(key)
		if !ok {
			return // survey named it
		}
		lasts := rec.EndsAt.time().Sub(rec.CreatedAt.time())
		if rec.ID == (uid.ID{}) || rec.Digest == (auth.SetupDigest{}) || lasts <= 0 || lasts > SetupTime {
			v.find(key, "has no name, no secret, or lasts longer than links do")
		}
		var user userRecord
		if v.refers(key, keyUser(org, id), famUser, &user) && user.DisabledAt != 0 {
			v.find(key, "is of a user who is disabled")
		}
	})
}
