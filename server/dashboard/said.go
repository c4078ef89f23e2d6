package dashboard

import "time"

// said is the closed set of what a page can say about the change that led to it:
// the cookie that carries it there has a word of this list, and no text.
var said = map[string]string{
	"signed-out": "You are signed out.",

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
