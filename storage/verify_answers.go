package storage

import (
	"errors"

	"exante/auth/uid"
)

// answers checks that every kept answer can be given again and will be deleted,
// and that nothing of others is left.
func (v *verification) answers(org uid.ID) {
	each(v, inFamily(org, famAnswer), famAnswer, func(key []byte, rec *answerRecord) {
		id, ok := answerAt(key)
		if !ok {
			return // survey named it
		}
		_, err := rec.whole(v, org, id)
		v.check(key, err)
		if rec.Status < 200 || rec.Status > 299 {
			v.find(key, "is an answer with %d, which is never kept", rec.Status)
		}
		var end answerEnd
		if v.refers(key, keyAnswerEnd(org, rec.Ends, id), famAnswerEnd, &end) && end.Chunks != rec.Chunks {
			v.find(key, "has %d chunks, of which %d are to be deleted", rec.Chunks, end.Chunks)
		}
	})
	each(v, inFamily(org, famAnswerEnd), famAnswerEnd, func(key []byte, _ *answerEnd) {
		end, id, ok := answerEndAt(key)
		if !ok {
			return
		}
		var rec answerRecord
		if v.refers(key, keyAnswer(org, id), famAnswer, &rec) && rec.Ends != end {
			v.find(key, "names an answer that ends at another time")
		}
	})
	v.eachValue(inFamily(org, famAnswerChunk), func(key, _ []byte) {
		id, ok := answerAt(key)
		if !ok {
			return
		}
		var rec answerRecord
		err := get(v, keyAnswer(org, id), famAnswer, &rec)
		if errors.Is(err, ErrNotFound) || err == nil && string(key) >= string(keyAnswerChunk(org, id, rec.Chunks)) {
			v.find(key, "is beyond the %d chunks of its answer", rec.Chunks)
		}
	})
}
