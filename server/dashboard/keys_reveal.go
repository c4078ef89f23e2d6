package dashboard

import (
	"net/http"
	"time"

	"exante/auth"
)

// revealPage shows a new key, this once.
type revealPage struct {
	Key      *auth.Key
	Token    string
	Origin   string    // under which this server is reached
	Replaced *auth.Key // by rotation; nil: none
	Until    time.Time // when that one ends, if it has not
}

// keyBefore says that a form has made its key already.
type keyBefore struct{ Key *auth.Key }

// reveal answers with the only page that ever has the secret of a key. It is the
// answer to the POST itself, so that the secret is in no address and no history.
func (v *visit) reveal(k *auth.Key, token auth.Token, replaced *auth.Key) error {
	v.res.Secret = true
	p := revealPage{Key: k, Token: token.Reveal(), Origin: v.origin(), Replaced: replaced}
	if replaced != nil && replaced.Usable(v.now) == nil {
		p.Until = endOf(replaced)
	}
	return v.show(http.StatusOK, "key_reveal", "Your new API key", p)
}

// Header, Curl and Env are the key as it is used.

// Header is the header that a request carries.
func (p revealPage) Header() string { return "Authorization: Bearer " + p.Token }

// Curl is a command that shows whether the key works.
func (p revealPage) Curl() string {
	return `curl -H "` + p.Header() + `" ` + p.Origin + "/api/api-keys/current"
}

// Env is a line of a file of environment variables.
func (p revealPage) Env() string { return "EXANTE_API_KEY=" + p.Token }
