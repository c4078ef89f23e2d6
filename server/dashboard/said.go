package dashboard

import "time"

// said is the closed set of what a page can say about the change that led to it:
// the cookie that carries it there has a word of this list, and no text.
var said = map[string]string{
	"signed-out":            "You are signed out.",
	"invoice-sent":          "The invoice is sent. It is owed from now on.",
	"invoice-void":          "The invoice is void.",
	"payment-recorded":      "The payment is recorded.",
	"signed-out-everywhere": "You are signed out everywhere.",
	"set-up":                "Your password is set and you are signed in. The first thing to do: create an API key, under Settings.",
	"password-changed":      "Your password is changed. You are signed out everywhere else.",
	"session-ended":         "That browser is signed out.",
	"others-ended":          "You are signed out everywhere else.",
	"role-set":              "The role is changed. The user has to sign in again.",
	"user-disabled":         "The user is disabled. His sessions have ended and his API keys are refused.",
	"user-enabled":          "The user is enabled. His API keys work again, unless they have ended.",
	"user-signed-out":       "The user is signed out everywhere.",
	"organization-changed":  "The organization is changed.",

	"key-revoked":  "The key is revoked. The next request with it is refused.",
	"key-changed":  "The key is changed. The next request is judged by what it may do now.",
	"key-narrowed": "The key is narrowed to what it used.",
}

// saidFor is how long the next page may take to come.
const saidFor = time.Minute

// say has the next page say what was done.
func (v *visit) say(word string) {
	if said[word] == "" {
		panic("dashboard: nothing to say for " + word)
	}
	v.keep(saidCookie, word, saidFor)
}

// hear is what this page is to say, once.
func (v *visit) hear() string {
	word := v.cookie(saidCookie)
	if word == "" {
		return ""
	}
	v.drop(saidCookie)
	return said[word]
}
